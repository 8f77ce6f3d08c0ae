SELECT scheduled_for AS scheduled_at, worker FROM cron_runs WHERE name = :name AND ended_at IS NULL
