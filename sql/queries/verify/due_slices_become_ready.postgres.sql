-- I18: No slice waits more than :grace beyond its due time, or is held so long after its job's seal, while a worker lives.
SELECT s.job_id, s.first_seq, s.state, s.available_at, j.sealed_at FROM slices s JOIN jobs j ON j.id = s.job_id
WHERE ((s.state = 2 AND s.available_at + :grace < clock_timestamp())
    OR (s.state = 3 AND j.stopping IS NULL AND j.sealed_at + :grace < clock_timestamp()))
  AND EXISTS (
    SELECT 1 FROM workers a
    WHERE a.lease_until > clock_timestamp() AND a.started_at + :grace < clock_timestamp() AND a.roles <> 'ingest')
ORDER BY s.job_id, s.first_seq LIMIT :limit
