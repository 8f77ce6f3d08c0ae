SELECT attempt, worker, fence, started_at, ended_at, code, error FROM attempts
WHERE job_id = :job_id AND seq = :seq ORDER BY attempt
