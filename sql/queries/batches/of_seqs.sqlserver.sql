-- The batches in which some seqs of a job lie.
SELECT q.seq, b.number FROM OPENJSON(:seqs) WITH (seq bigint '$') q CROSS APPLY (
  SELECT TOP (1) c.number FROM batches c WHERE c.job_id = :job_id AND c.first_seq <= q.seq ORDER BY c.first_seq DESC) b
