-- The event of a round's end, once, where the job has ended.
DECLARE @told TABLE (round int);
INSERT INTO events (job_id, round, status, created_at)
OUTPUT inserted.round INTO @told
SELECT j.id, j.round, j.status, SYSUTCDATETIME() FROM jobs j
WHERE j.id = :job_id AND j.ended_at IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM events e WITH (UPDLOCK, SERIALIZABLE) WHERE e.job_id = j.id AND e.round = j.round);
-- then
SELECT round FROM @told
