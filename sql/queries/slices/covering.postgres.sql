-- Lock, in key order, the slices of a job that cover one of :seqs: one index probe a seq, whatever the planner knows.
WITH found AS MATERIALIZED (
  SELECT c.first_seq FROM unnest(:seqs::bigint[]) q (seq) CROSS JOIN LATERAL (
    SELECT c.first_seq, c.last_seq FROM slices c WHERE c.job_id = :job_id AND c.first_seq <= q.seq
    ORDER BY c.first_seq DESC LIMIT 1) c
  WHERE c.last_seq >= q.seq
)
SELECT s.first_seq, s.last_seq, s.batch, s.state, s.fence, s.open FROM slices s
WHERE s.job_id = :job_id AND s.first_seq = ANY (ARRAY(SELECT first_seq FROM found))
ORDER BY s.job_id, s.first_seq FOR UPDATE OF s
