-- Jobs whose source nobody has read, or held a lease to read, for so long, and that do not wait for their turn behind an
-- older one that is being read. Never one that is paused, or whose ingestion takes long: its worker's lease is alive.
SELECT j.id, j.ingest_fence FROM jobs j LEFT JOIN workers w ON w.incarnation = j.ingest_worker
WHERE j.ended_at IS NULL AND j.sealed_at IS NULL AND j.paused_at IS NULL
  AND COALESCE(w.lease_until, j.ingest_left_at, j.created_at)
    < DATEADD(MICROSECOND, -(:age % 1000000), DATEADD(SECOND, -(:age / 1000000), SYSUTCDATETIME()))
  AND NOT EXISTS (
    SELECT 1 FROM jobs o JOIN workers l ON l.incarnation = o.ingest_worker
    WHERE o.id < j.id AND o.ended_at IS NULL AND o.sealed_at IS NULL AND l.lease_until > SYSUTCDATETIME())
ORDER BY j.id OFFSET 0 ROWS FETCH NEXT :limit ROWS ONLY
