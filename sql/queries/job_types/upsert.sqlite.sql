-- Whoever has the handler, or its configuration, says how it is run; operators' columns are left alone.
INSERT INTO job_types (name, slice_size, timeout_seconds, max_attempts, backoff_cap_seconds, backoff_jitter, created_at)
VALUES (:name, :slice_size, :timeout_seconds, :max_attempts, :backoff_cap_seconds, :backoff_jitter, clock_timestamp())
ON CONFLICT (name) DO UPDATE SET slice_size = excluded.slice_size, timeout_seconds = excluded.timeout_seconds,
  max_attempts = excluded.max_attempts, backoff_cap_seconds = excluded.backoff_cap_seconds,
  backoff_jitter = excluded.backoff_jitter
RETURNING id
