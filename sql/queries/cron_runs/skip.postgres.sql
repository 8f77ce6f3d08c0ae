-- Put on record that a time of a name is not run; no row: it, or a later one, is on record.
INSERT INTO cron_runs (name, scheduled_for, worker, started_at, ended_at, result, detail)
SELECT CAST(:name AS text), CAST(:scheduled_for AS timestamptz), CAST(:worker AS text), clock_timestamp(), clock_timestamp(),
  'skipped', CAST(:detail AS text)
WHERE NOT EXISTS (
  SELECT 1 FROM cron_runs c WHERE c.name = CAST(:name AS text) AND c.scheduled_for >= CAST(:scheduled_for AS timestamptz))
ON CONFLICT DO NOTHING RETURNING name
