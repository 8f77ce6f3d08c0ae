-- I2: An item has at most one outcome a fence: each attempt has a higher fence than the one before.
SELECT job_id, seq, attempt, fence, before AS fence_before
FROM (SELECT job_id, seq, attempt, fence, lag(fence) OVER (PARTITION BY job_id, seq ORDER BY attempt) AS before FROM attempts) a
WHERE fence <= before ORDER BY job_id, seq, attempt LIMIT :limit
