-- Jobs whose source is still to be read and that no other living worker reads.
SELECT j.id, j.source_kind, j.source FROM jobs j
WHERE j.id > :after AND j.ended_at IS NULL AND j.sealed_at IS NULL AND j.stopping IS NULL AND j.source_kind IN ('file', 'database')
  AND (j.ingest_worker IS NULL OR j.ingest_worker = :worker OR NOT EXISTS (
    SELECT 1 FROM workers w WHERE w.incarnation = j.ingest_worker AND w.lease_until > clock_timestamp()))
ORDER BY j.id LIMIT :limit
