-- Cancel, and a failed source: no claim begins after this commits, ingestion is fenced out, the job is sealed.
-- With :ingest_fence only where that ingestion still goes on: who judged it meanwhile may not end what is sealed.
DECLARE @stopped TABLE (id bigint, ended_at datetime2(6));
UPDATE jobs SET stopping = :stopping, reason = :reason, reason_code = :reason_code, ingest_fence = ingest_fence + 1,
  ingest_worker = NULL, started_at = COALESCE(started_at, SYSUTCDATETIME()), sealed_at = COALESCE(sealed_at, SYSUTCDATETIME()),
  ended_at = CASE WHEN batches_open > 0 THEN NULL WHEN SYSUTCDATETIME() < created_at THEN created_at
    ELSE SYSUTCDATETIME() END
OUTPUT inserted.id, inserted.ended_at INTO @stopped
WHERE id = :job_id AND ended_at IS NULL AND stopping IS NULL AND (:ingest_fence IS NULL
  OR ingest_fence = :ingest_fence AND sealed_at IS NULL);
-- then
SELECT id, ended_at FROM @stopped
