-- Runnable jobs with max_concurrency; the transaction that asks is the only writer.
SELECT j.id FROM jobs j
WHERE j.ended_at IS NULL AND j.started_at IS NOT NULL AND j.paused_at IS NULL AND j.stopping IS NULL
  AND j.max_concurrency IS NOT NULL AND j.job_type_id IN (SELECT value FROM json_each(:types))
  AND EXISTS (SELECT 1 FROM slices s WHERE s.job_id = j.id AND s.state = 0)
ORDER BY j.id LIMIT :limit
