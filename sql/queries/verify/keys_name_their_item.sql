-- I8: A key is held by the item that has it, of a job of its type (until that job is pruned).
SELECT k.job_type_id, k.key, k.job_id, k.seq, i.idempotency_key AS key_of_item, j.job_type_id AS job_type_of_job
FROM idempotency_keys k LEFT JOIN jobs j ON j.id = k.job_id LEFT JOIN items i ON i.job_id = k.job_id AND i.seq = k.seq
WHERE j.id IS NULL OR j.job_type_id <> k.job_type_id OR (j.pruned_at IS NULL AND (i.seq IS NULL OR i.idempotency_key <> k.key))
ORDER BY k.job_id, k.seq LIMIT :limit
