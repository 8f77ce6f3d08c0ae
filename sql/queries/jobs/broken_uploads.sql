-- Uploads that are not sealed and whose worker is gone, or is this one: what it does not read itself broke off.
SELECT j.id, j.ingest_fence FROM jobs j
WHERE j.source_kind = 'upload' AND j.ended_at IS NULL AND j.sealed_at IS NULL AND j.stopping IS NULL
  AND (j.ingest_worker IS NULL OR j.ingest_worker = :worker OR NOT EXISTS (
    SELECT 1 FROM workers w WHERE w.incarnation = j.ingest_worker AND w.lease_until > clock_timestamp()))
ORDER BY j.id LIMIT :limit
