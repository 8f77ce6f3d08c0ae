-- I14: A job has its end's status exactly where ended_at is set, and that is no earlier than created_at.
SELECT id AS job_id, status, created_at, ended_at FROM jobs
WHERE (ended_at IS NULL AND status NOT IN ('pending', 'ingesting', 'processing'))
  OR (ended_at IS NOT NULL AND status IN ('pending', 'ingesting', 'processing')) OR ended_at < created_at ORDER BY id LIMIT :limit
