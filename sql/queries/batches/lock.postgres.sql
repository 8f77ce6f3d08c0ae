-- Lock batches in key order and read them as they are now.
SELECT b.job_id, b.number, b.first_seq, b.last_seq, b.total, b.succeeded, b.skipped, b.dead, b.cancelled, b.completed_at
FROM unnest(:batches.job_id::bigint[], :batches.number::integer[]) AS u (job_id, number)
JOIN batches b ON b.job_id = u.job_id AND b.number = u.number
ORDER BY b.job_id, b.number FOR UPDATE OF b
