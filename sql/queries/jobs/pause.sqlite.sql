UPDATE jobs SET paused_at = clock_timestamp() WHERE id = :job_id AND ended_at IS NULL AND paused_at IS NULL RETURNING id
