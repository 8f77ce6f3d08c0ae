-- How many dead letters of a job are purged.
SELECT count(*) AS items FROM outcomes WHERE job_id = :job_id AND status = 'dead' AND purged_at IS NOT NULL
