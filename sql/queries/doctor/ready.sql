-- Jobs with work that could be claimed now, or could but for a pause.
SELECT j.id, t.name AS job_type, j.paused_at, t.paused_at AS type_paused_at,
  CASE WHEN EXISTS (SELECT 1 FROM slices l WHERE l.job_id = j.id AND l.state = 1) THEN 1 ELSE 0 END AS runs
FROM jobs j JOIN job_types t ON t.id = j.job_type_id
WHERE j.ended_at IS NULL AND j.stopping IS NULL AND EXISTS (SELECT 1 FROM slices s WHERE s.job_id = j.id AND s.state = 0)
ORDER BY j.id LIMIT :limit
