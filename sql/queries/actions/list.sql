SELECT id, job_id, action, actor, detail, created_at FROM actions WHERE id < :before ORDER BY id DESC LIMIT :limit
