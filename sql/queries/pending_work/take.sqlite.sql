-- Take rows out of the staging table, exactly those that are read.
DELETE FROM pending_work WHERE id IN (
  SELECT id FROM pending_work WHERE job_type = :job_type AND id <= :highest ORDER BY id LIMIT :limit)
RETURNING id, idempotency_key, payload
