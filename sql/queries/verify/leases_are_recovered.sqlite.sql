-- I17: No slice is held by a worker whose lease ended more than :grace ago, while a worker lives that would free it.
SELECT s.job_id, s.first_seq, s.fence, s.worker, w.lease_until FROM slices s JOIN workers w ON w.incarnation = s.worker
WHERE s.state = 1 AND w.lease_until + :grace < clock_timestamp() AND EXISTS (
  SELECT 1 FROM workers a
  WHERE a.lease_until > clock_timestamp() AND a.started_at + :grace < clock_timestamp() AND a.roles <> 'ingest')
ORDER BY s.job_id, s.first_seq LIMIT :limit
