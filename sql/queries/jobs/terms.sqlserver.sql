-- Under which terms jobs run now; :jobs are those of which a worker holds something.
SELECT j.id, CASE WHEN j.stopping IS NOT NULL OR j.paused_at IS NOT NULL OR t.paused_at IS NOT NULL THEN 1 ELSE 0 END AS halted,
  j.max_concurrency, t.max_concurrency AS type_max_concurrency, j.rate, t.rate AS type_rate
FROM OPENJSON(:jobs) WITH (id bigint '$') u JOIN jobs j ON j.id = u.id JOIN job_types t ON t.id = j.job_type_id
