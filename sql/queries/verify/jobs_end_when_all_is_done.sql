-- I13: A job has ended exactly where it is sealed and all its batches have ended.
SELECT id AS job_id, status, sealed_at, batches_open, ended_at FROM jobs
WHERE (ended_at IS NULL AND sealed_at IS NOT NULL AND batches_open = 0)
  OR (ended_at IS NOT NULL AND (sealed_at IS NULL OR batches_open <> 0)) ORDER BY id LIMIT :limit
