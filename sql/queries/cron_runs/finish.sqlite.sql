-- The end of a run, by the worker that began it. No row: it was closed as lost meanwhile.
UPDATE cron_runs SET ended_at = CASE WHEN clock_timestamp() < started_at THEN started_at ELSE clock_timestamp() END,
  result = :result, detail = :detail
WHERE name = :name AND scheduled_for = :scheduled_for AND worker = :worker AND ended_at IS NULL
RETURNING started_at, ended_at
