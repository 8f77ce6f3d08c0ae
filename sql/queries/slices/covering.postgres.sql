-- Lock, in key order, the slices of a job that cover one of :seqs.
SELECT s.first_seq, s.last_seq, s.batch, s.state, s.fence, s.open FROM slices s
WHERE s.job_id = :job_id AND EXISTS (SELECT FROM unnest(:seqs::bigint[]) q WHERE q BETWEEN s.first_seq AND s.last_seq)
  AND s.last_seq >= (SELECT min(q) FROM unnest(:seqs::bigint[]) q) AND s.first_seq <= (SELECT max(q) FROM unnest(:seqs::bigint[]) q)
ORDER BY s.job_id, s.first_seq FOR UPDATE OF s
