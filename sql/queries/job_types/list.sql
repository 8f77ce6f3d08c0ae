SELECT id, name, slice_size, timeout_seconds, max_attempts, backoff_cap_seconds, backoff_jitter, paused_at,
  max_concurrency, rate, created_at FROM job_types ORDER BY name
