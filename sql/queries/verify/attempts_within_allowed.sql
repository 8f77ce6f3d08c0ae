-- I6: No item has more attempts than it is allowed; a retrying one has some left, an exhausted one none.
SELECT job_id, seq, status, reason, attempts, max_attempts FROM outcomes
WHERE attempts > max_attempts OR attempts < 0 OR (status = 'retrying' AND attempts = max_attempts)
  OR (reason = 'exhausted' AND attempts < max_attempts) OR (status IN ('succeeded', 'skipped') AND attempts < 1)
ORDER BY job_id, seq LIMIT :limit
