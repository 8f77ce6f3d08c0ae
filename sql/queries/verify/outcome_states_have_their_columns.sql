-- I2: An outcome has a next attempt exactly where it is retrying, a reason exactly where it is dead; a purged one is dead.
SELECT job_id, seq, status, reason, next_attempt_at, purged_at FROM outcomes
WHERE (status = 'retrying' AND next_attempt_at IS NULL) OR (status <> 'retrying' AND next_attempt_at IS NOT NULL)
  OR (status = 'dead' AND reason IS NULL) OR (status <> 'dead' AND reason IS NOT NULL)
  OR (purged_at IS NOT NULL AND (status <> 'dead' OR result IS NOT NULL))
ORDER BY job_id, seq LIMIT :limit
