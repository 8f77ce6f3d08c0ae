-- Slices that are held by workers whose lease is over.
SELECT s.worker, w.lease_until, count(*) AS slices, clock_timestamp() AS now_at
FROM slices s JOIN workers w ON w.incarnation = s.worker
WHERE s.state = 1 AND w.lease_until < clock_timestamp()
GROUP BY s.worker, w.lease_until ORDER BY w.lease_until LIMIT :limit
