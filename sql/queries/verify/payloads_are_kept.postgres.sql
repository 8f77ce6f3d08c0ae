-- I21: The payload of an item that was not purged is there.
SELECT i.job_id, i.seq, i.idempotency_key FROM items i
WHERE i.payload = '' AND NOT EXISTS (
  SELECT 1 FROM outcomes o WHERE o.job_id = i.job_id AND o.seq = i.seq AND o.purged_at IS NOT NULL)
ORDER BY i.job_id, i.seq LIMIT :limit
