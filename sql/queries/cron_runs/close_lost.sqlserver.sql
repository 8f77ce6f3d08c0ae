-- A run whose worker's lease is over was lost: it is closed, so that the next may run, and never run again.
DECLARE @lost TABLE (scheduled_at datetime2(6), worker nvarchar(100));
UPDATE cron_runs SET ended_at = SYSUTCDATETIME(), result = 'lost', detail = 'its worker was lost'
OUTPUT inserted.scheduled_for, inserted.worker INTO @lost
WHERE name = :name AND ended_at IS NULL AND NOT EXISTS (
  SELECT 1 FROM workers w WHERE w.incarnation = cron_runs.worker AND w.lease_until > SYSUTCDATETIME());
-- then
SELECT scheduled_at, worker FROM @lost
