-- I18: No slice waits more than :grace beyond its due time, or is held so long after its job's seal, while a worker lives.
DECLARE @before datetime2(6) = DATEADD(MICROSECOND, -(:grace % 1000000), DATEADD(SECOND, -(:grace / 1000000), SYSUTCDATETIME()));
-- then
SELECT s.job_id, s.first_seq, s.state, s.available_at, j.sealed_at FROM slices s JOIN jobs j ON j.id = s.job_id
WHERE ((s.state = 2 AND s.available_at < @before) OR (s.state = 3 AND j.stopping IS NULL AND j.sealed_at < @before))
  AND EXISTS (
    SELECT 1 FROM workers a
    WHERE a.lease_until > SYSUTCDATETIME() AND a.started_at < @before AND a.roles <> 'ingest')
ORDER BY s.job_id, s.first_seq OFFSET 0 ROWS FETCH NEXT :limit ROWS ONLY
