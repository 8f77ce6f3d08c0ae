-- Runnable jobs with max_concurrency, locked: what is leased of them is counted in the statement after this one.
SELECT j.id FROM jobs j
WHERE j.ended_at IS NULL AND j.started_at IS NOT NULL AND j.paused_at IS NULL AND j.stopping IS NULL
  AND j.max_concurrency IS NOT NULL AND j.job_type_id = ANY (:types::integer[])
  AND EXISTS (SELECT FROM slices s WHERE s.job_id = j.id AND s.state = 0)
ORDER BY j.id LIMIT :limit FOR UPDATE OF j SKIP LOCKED
