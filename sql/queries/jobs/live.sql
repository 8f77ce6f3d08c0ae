-- What a dispatcher must know of the live jobs: how many there are, how many of them are under a limit, and under a rate.
SELECT count(*) AS jobs,
  count(CASE WHEN coalesce(j.max_concurrency, j.rate, t.max_concurrency, t.rate) IS NOT NULL THEN 1 END) AS limited,
  count(coalesce(j.rate, t.rate)) AS rated
FROM jobs j JOIN job_types t ON t.id = j.job_type_id
WHERE j.ended_at IS NULL AND j.started_at IS NOT NULL AND j.paused_at IS NULL AND j.stopping IS NULL
