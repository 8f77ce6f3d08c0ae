-- Take rows out of the staging table, exactly those that are read; locked ones are neither lost nor waited for.
WITH taken AS MATERIALIZED (
  SELECT id FROM pending_work WHERE job_type = :job_type AND id <= :highest ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED
)
DELETE FROM pending_work p USING taken t WHERE p.id = t.id RETURNING p.id, p.idempotency_key, p.payload
