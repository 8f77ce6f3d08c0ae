-- Shut out claims that began before a stop: free slices that cover one of :seqs get a new fence, in key order. What a
-- claim holds already stays as it is, and is seen as leased in the statement after this one.
WITH held AS MATERIALIZED (
  SELECT s.job_id, s.first_seq FROM slices s
  WHERE s.job_id = :job_id AND s.state <> 1 AND s.first_seq <= (SELECT max(q) FROM unnest(:seqs::bigint[]) q)
    AND s.last_seq >= (SELECT min(q) FROM unnest(:seqs::bigint[]) q)
    AND EXISTS (SELECT FROM unnest(:seqs::bigint[]) q WHERE q BETWEEN s.first_seq AND s.last_seq)
  ORDER BY s.job_id, s.first_seq FOR UPDATE OF s
)
UPDATE slices s SET fence = s.fence + 1 FROM held h WHERE s.job_id = h.job_id AND s.first_seq = h.first_seq
