INSERT INTO actions (job_id, action, actor, detail, created_at) VALUES (:job_id, :action, :actor, :detail, clock_timestamp())
