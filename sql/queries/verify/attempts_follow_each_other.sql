-- I7: An attempt starts no earlier than the one before it ended, and ends no earlier than it started.
SELECT job_id, seq, attempt, started_at, ended_at, before AS ended_before_at FROM (
  SELECT job_id, seq, attempt, started_at, ended_at, lag(ended_at) OVER (PARTITION BY job_id, seq ORDER BY attempt) AS before
  FROM (SELECT job_id, seq, attempt, started_at, ended_at FROM attempts
        UNION ALL
        SELECT o.job_id, o.seq, o.attempts, o.started_at, o.finished_at FROM outcomes o
        WHERE o.status IN ('succeeded', 'skipped')) a) a
WHERE started_at < before OR ended_at < started_at ORDER BY job_id, seq, attempt LIMIT :limit
