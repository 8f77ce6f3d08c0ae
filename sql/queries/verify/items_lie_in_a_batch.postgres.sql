-- I22: Every item lies in a batch of its job.
-- Looked for where one would be that does not: in the gaps before, between and after batches, and in jobs without any.
WITH RECURSIVE filled (job_id) AS (  -- the jobs that have items, one index probe each
  SELECT min(job_id) FROM items
  UNION ALL
  SELECT (SELECT min(i.job_id) FROM items i WHERE i.job_id > f.job_id) FROM filled f WHERE f.job_id IS NOT NULL
), gaps AS MATERIALIZED (
  SELECT f.job_id, 0 AS after_seq, (SELECT min(b.first_seq) FROM batches b WHERE b.job_id = f.job_id) AS before_seq
  FROM filled f WHERE f.job_id IS NOT NULL
  UNION ALL
  SELECT job_id, last_seq, lead(first_seq) OVER (PARTITION BY job_id ORDER BY first_seq) FROM batches
), found AS MATERIALIZED (
  SELECT g.job_id, (SELECT min(i.seq) FROM items i WHERE i.job_id = g.job_id AND i.seq > g.after_seq
    AND i.seq < coalesce(g.before_seq, 9223372036854775807)) AS seq
  FROM gaps g
)
SELECT * FROM found WHERE seq IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.id = found.job_id AND j.pruned_at IS NOT NULL)
ORDER BY job_id, seq LIMIT :limit
