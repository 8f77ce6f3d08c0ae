-- I17: No slice is held by a worker whose lease ended more than :grace ago, while a worker lives that would free it.
DECLARE @before datetime2(6) = DATEADD(MICROSECOND, -(:grace % 1000000), DATEADD(SECOND, -(:grace / 1000000), SYSUTCDATETIME()));
-- then
SELECT s.job_id, s.first_seq, s.fence, s.worker, w.lease_until FROM slices s JOIN workers w ON w.incarnation = s.worker
WHERE s.state = 1 AND w.lease_until < @before AND EXISTS (
  SELECT 1 FROM workers a
  WHERE a.lease_until > SYSUTCDATETIME() AND a.started_at < @before AND a.roles <> 'ingest')
ORDER BY s.job_id, s.first_seq OFFSET 0 ROWS FETCH NEXT :limit ROWS ONLY
