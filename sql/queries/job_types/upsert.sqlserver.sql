-- Whoever has the handler, or its configuration, says how it is run; operators' columns are left alone. The range of the
-- name is held, so that two processes that start together write one row.
DECLARE @there TABLE (id int);
UPDATE job_types WITH (UPDLOCK, SERIALIZABLE) SET slice_size = :slice_size, timeout_seconds = :timeout_seconds,
  max_attempts = :max_attempts, backoff_cap_seconds = :backoff_cap_seconds, backoff_jitter = :backoff_jitter
OUTPUT inserted.id INTO @there
WHERE name = :name;
INSERT INTO job_types (name, slice_size, timeout_seconds, max_attempts, backoff_cap_seconds, backoff_jitter, created_at)
OUTPUT inserted.id INTO @there
SELECT :name, :slice_size, :timeout_seconds, :max_attempts, :backoff_cap_seconds, :backoff_jitter, SYSUTCDATETIME()
WHERE NOT EXISTS (SELECT 1 FROM @there);
-- then
SELECT id FROM @there
