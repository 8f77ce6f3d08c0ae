-- Take rows out of the staging table, exactly those that are read; locked ones are neither lost nor waited for.
DECLARE @taken TABLE (id bigint, idempotency_key nvarchar(512), payload nvarchar(max));
DELETE p OUTPUT deleted.id, deleted.idempotency_key, deleted.payload INTO @taken
FROM pending_work p JOIN (
  SELECT TOP (:limit) c.id FROM pending_work c WITH (UPDLOCK, READPAST, ROWLOCK, READCOMMITTEDLOCK)
  WHERE c.job_type = :job_type AND c.id <= :highest ORDER BY c.id) n ON n.id = p.id;
-- then
SELECT id, idempotency_key, payload FROM @taken
