-- Become the one who reads a job's source, where no other living worker does; a new fence shuts out whoever did before.
DECLARE @took TABLE (id bigint, job_type_id int, ingest_fence bigint, byte_offset bigint, line bigint, chain varbinary(64),
  source_kind nvarchar(20), source_name nvarchar(max), source nvarchar(max), options nvarchar(max));
UPDATE jobs SET ingest_fence = ingest_fence + 1, ingest_worker = :worker, started_at = COALESCE(started_at, SYSUTCDATETIME())
OUTPUT inserted.id, inserted.job_type_id, inserted.ingest_fence, inserted.byte_offset, inserted.line, inserted.chain,
  inserted.source_kind, inserted.source_name, inserted.source, inserted.options INTO @took
WHERE id = :job_id AND ended_at IS NULL AND sealed_at IS NULL AND stopping IS NULL
  AND (ingest_worker IS NULL OR ingest_worker = :worker OR NOT EXISTS (
    SELECT 1 FROM workers w WHERE w.incarnation = jobs.ingest_worker AND w.lease_until > SYSUTCDATETIME()));
-- then
SELECT id, job_type_id, ingest_fence, byte_offset, line, chain, source_kind, source_name, source, options FROM @took
