DECLARE @paused TABLE (id bigint);
UPDATE jobs SET paused_at = SYSUTCDATETIME() OUTPUT inserted.id INTO @paused
WHERE id = :job_id AND ended_at IS NULL AND paused_at IS NULL;
-- then
SELECT id FROM @paused
