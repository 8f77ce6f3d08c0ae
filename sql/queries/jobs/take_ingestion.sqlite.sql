-- Become the one who reads a job's source, where no other living worker does; a new fence shuts out whoever did before.
UPDATE jobs SET ingest_fence = ingest_fence + 1, ingest_worker = :worker, started_at = coalesce(started_at, clock_timestamp())
WHERE id = :job_id AND ended_at IS NULL AND sealed_at IS NULL AND stopping IS NULL
  AND (ingest_worker IS NULL OR ingest_worker = :worker OR NOT EXISTS (
    SELECT 1 FROM workers w WHERE w.incarnation = jobs.ingest_worker AND w.lease_until > clock_timestamp()))
RETURNING id, job_type_id, ingest_fence, byte_offset, line, chain, source_kind, source_name, source, options
