-- Put on record that a time of a name is not run; no row: it, or a later one, is on record.
DECLARE @skipped TABLE (name nvarchar(400));
INSERT INTO cron_runs (name, scheduled_for, worker, started_at, ended_at, result, detail)
OUTPUT inserted.name INTO @skipped
SELECT :name, :scheduled_for, :worker, SYSUTCDATETIME(), SYSUTCDATETIME(), 'skipped', :detail
WHERE NOT EXISTS (
  SELECT 1 FROM cron_runs c WITH (UPDLOCK, SERIALIZABLE) WHERE c.name = :name AND c.scheduled_for >= :scheduled_for);
-- then
SELECT name FROM @skipped
