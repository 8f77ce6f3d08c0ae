-- How many slices may be claimed of jobs under a limit, and of their types (NULL: no cap), whose rows are locked.
SELECT j.id, j.job_type_id, CASE WHEN j.rate IS NOT NULL OR t.rate IS NOT NULL THEN 1 ELSE 0 END AS rated,
  j.max_concurrency - (SELECT COUNT(*) FROM slices l WITH (READCOMMITTEDLOCK) WHERE l.job_id = j.id AND l.state = 1) AS room,
  CASE WHEN t.max_concurrency IS NOT NULL THEN t.max_concurrency - (
    SELECT COUNT(*) FROM jobs k JOIN slices l WITH (READCOMMITTEDLOCK) ON l.job_id = k.id AND l.state = 1
    WHERE k.ended_at IS NULL AND k.job_type_id = t.id) END AS type_room
FROM OPENJSON(:jobs) WITH (id bigint '$') u JOIN jobs j ON j.id = u.id JOIN job_types t ON t.id = j.job_type_id
