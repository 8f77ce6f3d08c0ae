-- Job types under a limit that have room, locked; what is leased of them is counted again in a statement after this one.
-- NO KEY: a new job of the type need not wait.
SELECT t.id FROM job_types t
WHERE t.id = ANY (:types::integer[]) AND (t.max_concurrency IS NOT NULL OR t.rate IS NOT NULL)
  AND (t.max_concurrency IS NULL OR t.max_concurrency > (
    SELECT count(*) FROM jobs k JOIN slices l ON l.job_id = k.id AND l.state = 1 WHERE k.ended_at IS NULL AND k.job_type_id = t.id))
  AND (t.rate IS NULL OR t.spent_until IS NULL OR t.spent_until <= clock_timestamp() + :ahead::interval)
ORDER BY t.id FOR NO KEY UPDATE OF t SKIP LOCKED
