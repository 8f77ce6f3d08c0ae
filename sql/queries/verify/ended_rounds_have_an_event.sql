-- I29: Each ended round of a job has exactly one event, the last of them with the job's status.
WITH told AS MATERIALIZED (
  SELECT j.id AS job_id, j.round, j.status, j.ended_at, j.round - CASE WHEN j.ended_at IS NULL THEN 1 ELSE 0 END AS ended_rounds,
    (SELECT count(*) FROM events e WHERE e.job_id = j.id) AS events,
    (SELECT max(e.round) FROM events e WHERE e.job_id = j.id) AS last_event_round,
    (SELECT e.status FROM events e WHERE e.job_id = j.id AND e.round = j.round) AS event_status
  FROM jobs j
)
SELECT * FROM told
WHERE events <> ended_rounds OR last_event_round > ended_rounds OR (ended_at IS NOT NULL AND event_status <> status)
ORDER BY job_id LIMIT :limit
