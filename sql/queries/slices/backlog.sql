-- What waits, each state counted to a bound and in the order of its index, so that none is ever read from end to end.
SELECT
  (SELECT count(*) FROM (SELECT 1 AS one FROM slices WHERE state = 0 ORDER BY job_id, ordinal LIMIT :most) a) AS ready,
  (SELECT count(*) FROM (SELECT 1 AS one FROM slices WHERE state = 1 ORDER BY job_id, worker LIMIT :most) b) AS leased,
  (SELECT count(*) FROM (SELECT 1 AS one FROM slices WHERE state = 2 ORDER BY available_at LIMIT :most) c) AS waiting,
  (SELECT count(*) FROM (SELECT 1 AS one FROM slices WHERE state = 3 ORDER BY job_id LIMIT :most) d) AS held,
  (SELECT min(available_at) FROM slices WHERE state = 2) AS due_at,
  (SELECT j.created_at FROM jobs j WHERE j.ended_at IS NULL AND j.stopping IS NULL AND j.paused_at IS NULL
   AND (SELECT s.first_seq FROM slices s WHERE s.job_id = j.id AND s.state = 0 ORDER BY s.job_id, s.ordinal LIMIT 1) IS NOT NULL
   ORDER BY j.id LIMIT 1) AS oldest_at,
  clock_timestamp() AS now_at
