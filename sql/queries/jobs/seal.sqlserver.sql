-- Ingestion is over. A job with nothing open ends here.
DECLARE @sealed TABLE (id bigint, ended_at datetime2(6));
UPDATE jobs SET sealed_at = SYSUTCDATETIME(), started_at = COALESCE(started_at, SYSUTCDATETIME()), ingest_worker = NULL,
  ended_at = CASE WHEN batches_open > 0 THEN NULL WHEN SYSUTCDATETIME() < created_at THEN created_at
    ELSE SYSUTCDATETIME() END
OUTPUT inserted.id, inserted.ended_at INTO @sealed
WHERE id = :job_id AND ingest_fence = :ingest_fence AND sealed_at IS NULL;
-- then
SELECT id, ended_at FROM @sealed
