-- I16: Every dead letter has an error.
SELECT job_id, seq, reason, error_code, error FROM outcomes
WHERE status = 'dead' AND (error IS NULL OR error = '') ORDER BY job_id, seq LIMIT :limit
