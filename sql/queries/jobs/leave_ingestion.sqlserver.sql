-- Give the source back at a clean stop: another worker goes on at the checkpoint at once.
DECLARE @left TABLE (id bigint);
UPDATE jobs SET ingest_worker = NULL, ingest_left_at = SYSUTCDATETIME()
OUTPUT inserted.id INTO @left
WHERE id = :job_id AND ingest_fence = :ingest_fence AND sealed_at IS NULL;
-- then
SELECT id FROM @left
