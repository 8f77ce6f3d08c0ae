-- Job types under a limit that have room; the transaction that asks is the only writer.
SELECT t.id FROM job_types t
WHERE t.id IN (SELECT value FROM json_each(:types)) AND (t.max_concurrency IS NOT NULL OR t.rate IS NOT NULL)
  AND (t.max_concurrency IS NULL OR t.max_concurrency > (
    SELECT count(*) FROM jobs k CROSS JOIN slices l ON l.job_id = k.id AND l.state = 1 WHERE k.ended_at IS NULL AND k.job_type_id = t.id))
  AND (t.rate IS NULL OR t.spent_until IS NULL OR t.spent_until <= clock_timestamp() + :ahead)
ORDER BY t.id
