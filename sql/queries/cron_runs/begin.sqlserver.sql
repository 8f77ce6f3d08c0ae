-- Take a time of a name. No row: another has it (the primary key), a later one is on record, a run of the name still
-- goes on (cron_runs_running), or the worker's own lease is over. The range of the name is held until the end, so that
-- rivals wait and then find the row.
DECLARE @begun TABLE (name nvarchar(400));
INSERT INTO cron_runs (name, scheduled_for, worker, started_at)
OUTPUT inserted.name INTO @begun
SELECT :name, :scheduled_for, w.incarnation, SYSUTCDATETIME() FROM workers w
WHERE w.incarnation = :worker AND w.lease_until > SYSUTCDATETIME() AND NOT EXISTS (
  SELECT 1 FROM cron_runs c WITH (UPDLOCK, SERIALIZABLE)
  WHERE c.name = :name AND (c.scheduled_for >= :scheduled_for OR c.ended_at IS NULL));
-- then
SELECT name FROM @begun
