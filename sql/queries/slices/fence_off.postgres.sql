-- Shut out claims that began before a stop: free slices that cover one of :seqs get a new fence, in key order. What a
-- claim holds already stays as it is, and is seen as leased in the statement after this one.
WITH found AS MATERIALIZED (
  SELECT c.first_seq FROM unnest(:seqs::bigint[]) q (seq) CROSS JOIN LATERAL (
    SELECT c.first_seq, c.last_seq FROM slices c WHERE c.job_id = :job_id AND c.first_seq <= q.seq
    ORDER BY c.first_seq DESC LIMIT 1) c
  WHERE c.last_seq >= q.seq
), held AS MATERIALIZED (
  SELECT s.job_id, s.first_seq FROM slices s
  WHERE s.job_id = :job_id AND s.first_seq = ANY (ARRAY(SELECT first_seq FROM found)) AND s.state <> 1
  ORDER BY s.job_id, s.first_seq FOR UPDATE OF s
)
UPDATE slices s SET fence = s.fence + 1 FROM held h WHERE s.job_id = h.job_id AND s.first_seq = h.first_seq
