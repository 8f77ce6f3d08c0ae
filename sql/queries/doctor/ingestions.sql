-- Sources that are still to be read to their end, and whether their reader lives.
SELECT j.id, j.source_kind, j.source_name, j.source, j.created_at, j.ingest_worker,
  CASE WHEN w.lease_until > clock_timestamp() THEN 1 ELSE 0 END AS alive, clock_timestamp() AS now_at
FROM jobs j LEFT JOIN workers w ON w.incarnation = j.ingest_worker
WHERE j.ended_at IS NULL AND j.sealed_at IS NULL AND j.stopping IS NULL AND j.source_kind <> 'items'
ORDER BY j.id LIMIT :limit
