-- I6: The log has every failed attempt of an item, numbered from 1; the one that ended it well is not in it.
WITH logged AS MATERIALIZED (
  SELECT job_id, seq, count(*) AS logged, min(attempt) AS first_attempt, max(attempt) AS last_attempt FROM attempts GROUP BY job_id, seq
)
SELECT o.job_id, o.seq, o.status, o.attempts, coalesce(l.logged, 0) AS logged, l.first_attempt, l.last_attempt
FROM outcomes o LEFT JOIN logged l ON l.job_id = o.job_id AND l.seq = o.seq
WHERE o.attempts - CASE WHEN o.status IN ('succeeded', 'skipped') THEN 1 ELSE 0 END <> coalesce(l.logged, 0)
  OR l.first_attempt <> 1 OR l.last_attempt <> l.logged
ORDER BY o.job_id, o.seq LIMIT :limit
