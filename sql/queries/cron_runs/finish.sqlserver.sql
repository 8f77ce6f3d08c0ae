-- The end of a run, by the worker that began it. No row: it was closed as lost meanwhile.
DECLARE @finished TABLE (started_at datetime2(6), ended_at datetime2(6));
UPDATE cron_runs SET ended_at = CASE WHEN SYSUTCDATETIME() < started_at THEN started_at ELSE SYSUTCDATETIME() END,
  result = :result, detail = :detail
OUTPUT inserted.started_at, inserted.ended_at INTO @finished
WHERE name = :name AND scheduled_for = :scheduled_for AND worker = :worker AND ended_at IS NULL;
-- then
SELECT started_at, ended_at FROM @finished
