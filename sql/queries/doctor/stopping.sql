-- Stopping jobs with free slices: a worker sweeps them within seconds.
SELECT j.id, j.stopping FROM jobs j
WHERE j.stopping IS NOT NULL AND j.ended_at IS NULL
  AND EXISTS (SELECT 1 FROM slices s WHERE s.job_id = j.id AND s.state IN (0, 2, 3))
ORDER BY j.id LIMIT :limit
