-- What a dispatcher must know of its types' live jobs: how many there are without and with max_concurrency.
SELECT count(*) AS jobs, count(max_concurrency) AS capped FROM jobs
WHERE ended_at IS NULL AND started_at IS NOT NULL AND paused_at IS NULL AND stopping IS NULL
