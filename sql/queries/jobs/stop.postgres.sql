-- Cancel, and a failed source: no claim begins after this commits, ingestion is fenced out, the job is sealed.
-- With :ingest_fence only where that ingestion still goes on: who judged it meanwhile may not end what is sealed.
UPDATE jobs SET stopping = :stopping, reason = :reason, reason_code = :reason_code, ingest_fence = ingest_fence + 1,
  ingest_worker = NULL, started_at = coalesce(started_at, clock_timestamp()), sealed_at = coalesce(sealed_at, clock_timestamp()),
  ended_at = CASE WHEN batches_open > 0 THEN NULL WHEN clock_timestamp() < created_at THEN created_at
    ELSE clock_timestamp() END
WHERE id = :job_id AND ended_at IS NULL AND stopping IS NULL AND (CAST(:ingest_fence AS bigint) IS NULL
  OR ingest_fence = CAST(:ingest_fence AS bigint) AND sealed_at IS NULL)
RETURNING id, ended_at
