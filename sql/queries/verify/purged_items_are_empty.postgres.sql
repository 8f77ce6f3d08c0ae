-- I21: The payload of a purged item is empty.
SELECT o.job_id, o.seq, o.purged_at FROM outcomes o JOIN items i ON i.job_id = o.job_id AND i.seq = o.seq
WHERE o.purged_at IS NOT NULL AND i.payload <> '' ORDER BY o.job_id, o.seq LIMIT :limit
