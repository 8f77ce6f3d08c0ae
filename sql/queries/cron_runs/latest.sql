-- The latest time of a name on record, and the database's clock.
SELECT max(scheduled_for) AS scheduled_at, clock_timestamp() AS now_at FROM cron_runs WHERE name = :name
