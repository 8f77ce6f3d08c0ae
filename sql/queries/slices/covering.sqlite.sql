-- The slices of a job that cover one of :seqs; the transaction that asks is the only writer.
SELECT s.first_seq, s.last_seq, s.batch, s.state, s.fence, s.open FROM slices s
WHERE s.job_id = :job_id AND s.first_seq <= (SELECT max(value) FROM json_each(:seqs))
  AND s.last_seq >= (SELECT min(value) FROM json_each(:seqs))
  AND EXISTS (SELECT 1 FROM json_each(:seqs) q WHERE q.value BETWEEN s.first_seq AND s.last_seq)
ORDER BY s.first_seq
