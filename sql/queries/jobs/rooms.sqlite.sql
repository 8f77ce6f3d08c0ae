-- How many slices may be claimed of jobs under a limit, and of their types (NULL: no cap), whose rows are locked.
SELECT j.id, j.job_type_id, j.rate IS NOT NULL OR t.rate IS NOT NULL AS rated,
  j.max_concurrency - (SELECT count(*) FROM slices l WHERE l.job_id = j.id AND l.state = 1) AS room,
  CASE WHEN t.max_concurrency IS NOT NULL THEN t.max_concurrency - (
    SELECT count(*) FROM jobs k CROSS JOIN slices l ON l.job_id = k.id AND l.state = 1
    WHERE k.ended_at IS NULL AND k.job_type_id = t.id) END AS type_room
FROM jobs j JOIN job_types t ON t.id = j.job_type_id WHERE j.id IN (SELECT value FROM json_each(:jobs))
