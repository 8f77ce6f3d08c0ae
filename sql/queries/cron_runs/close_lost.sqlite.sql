-- A run whose worker's lease is over was lost: it is closed, so that the next may run, and never run again.
UPDATE cron_runs SET ended_at = clock_timestamp(), result = 'lost', detail = 'its worker was lost'
WHERE name = :name AND ended_at IS NULL AND NOT EXISTS (
  SELECT 1 FROM workers w WHERE w.incarnation = cron_runs.worker AND w.lease_until > clock_timestamp())
RETURNING scheduled_for AS scheduled_at, worker
