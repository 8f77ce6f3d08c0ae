SELECT id, job_id, action, actor, detail, created_at FROM actions
WHERE job_id = :job_id AND id < :before ORDER BY id DESC LIMIT :limit
