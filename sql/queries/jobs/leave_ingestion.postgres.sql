-- Give the source back at a clean stop: another worker goes on at the checkpoint at once.
UPDATE jobs SET ingest_worker = NULL, ingest_left_at = clock_timestamp()
WHERE id = :job_id AND ingest_fence = :ingest_fence AND sealed_at IS NULL RETURNING id
