-- I11: A job that has ended or is stopping is sealed, and nobody ingests into a sealed job.
SELECT id AS job_id, status, stopping, sealed_at, ended_at, ingest_worker FROM jobs
WHERE (sealed_at IS NULL AND (ended_at IS NOT NULL OR stopping IS NOT NULL)) OR (sealed_at IS NOT NULL AND ingest_worker IS NOT NULL)
ORDER BY id LIMIT :limit
