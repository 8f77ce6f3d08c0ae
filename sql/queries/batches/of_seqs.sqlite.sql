-- The batches in which some seqs of a job lie.
SELECT q.value AS seq, b.number FROM json_each(:seqs) q CROSS JOIN batches b ON b.job_id = :job_id
  AND b.first_seq = (SELECT max(c.first_seq) FROM batches c WHERE c.job_id = :job_id AND c.first_seq <= q.value)
