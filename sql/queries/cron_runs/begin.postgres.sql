-- Take a time of a name. No row: another has it (the primary key), a later one is on record, a run of the name still
-- goes on (cron_runs_running), or the worker's own lease is over.
INSERT INTO cron_runs (name, scheduled_for, worker, started_at)
SELECT CAST(:name AS text), CAST(:scheduled_for AS timestamptz), w.incarnation, clock_timestamp() FROM workers w
WHERE w.incarnation = :worker AND w.lease_until > clock_timestamp() AND NOT EXISTS (
  SELECT 1 FROM cron_runs c WHERE c.name = CAST(:name AS text) AND c.scheduled_for >= CAST(:scheduled_for AS timestamptz))
ON CONFLICT DO NOTHING RETURNING name
