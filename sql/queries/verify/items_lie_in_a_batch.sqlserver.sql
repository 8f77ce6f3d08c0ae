-- I22: Every item lies in a batch of its job.
-- Looked for where one would be that does not: in the gaps before, between and after batches, and in jobs without any.
WITH filled AS (
  SELECT DISTINCT job_id FROM items
), gaps AS (
  SELECT f.job_id, CAST(0 AS bigint) AS after_seq,
    (SELECT MIN(b.first_seq) FROM batches b WHERE b.job_id = f.job_id) AS before_seq
  FROM filled f
  UNION ALL
  SELECT job_id, last_seq, LEAD(first_seq) OVER (PARTITION BY job_id ORDER BY first_seq) FROM batches
), found AS (
  SELECT g.job_id, (SELECT MIN(i.seq) FROM items i WHERE i.job_id = g.job_id AND i.seq > g.after_seq
    AND i.seq < COALESCE(g.before_seq, 9223372036854775807)) AS seq
  FROM gaps g
)
SELECT job_id, seq FROM found WHERE seq IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.id = found.job_id AND j.pruned_at IS NOT NULL)
ORDER BY job_id, seq OFFSET 0 ROWS FETCH NEXT :limit ROWS ONLY
