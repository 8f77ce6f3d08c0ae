-- The batches in which some seqs of a job lie.
SELECT q.seq, b.number FROM unnest(:seqs::bigint[]) q (seq) CROSS JOIN LATERAL (
  SELECT c.number FROM batches c WHERE c.job_id = :job_id AND c.first_seq <= q.seq ORDER BY c.first_seq DESC LIMIT 1) b
