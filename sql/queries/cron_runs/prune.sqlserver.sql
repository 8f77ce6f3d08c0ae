-- Runs that ended long ago go, but for the last of each name: what it missed is reckoned from there.
DELETE FROM cron_runs
WHERE ended_at < DATEADD(MICROSECOND, -(:age % 1000000), DATEADD(SECOND, -(:age / 1000000), SYSUTCDATETIME())) AND EXISTS (
  SELECT 1 FROM cron_runs c WHERE c.name = cron_runs.name AND c.scheduled_for > cron_runs.scheduled_for)
