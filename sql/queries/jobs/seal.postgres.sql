-- Ingestion is over. A job with nothing open ends here.
UPDATE jobs SET sealed_at = clock_timestamp(), started_at = coalesce(started_at, clock_timestamp()), ingest_worker = NULL,
  ended_at = CASE WHEN batches_open > 0 THEN NULL WHEN clock_timestamp() < created_at THEN created_at
    ELSE clock_timestamp() END
WHERE id = :job_id AND ingest_fence = :ingest_fence AND sealed_at IS NULL
RETURNING id, ended_at
