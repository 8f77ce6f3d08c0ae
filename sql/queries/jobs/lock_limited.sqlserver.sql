-- Runnable jobs under a limit of their own, or of their type if that is one of :locked (which have room), in order,
-- locked: their room is counted in the statement after this one. They are found first and locked one by one in their
-- order, so that no more are held than were asked for.
DECLARE @until datetime2(6) = DATEADD(MICROSECOND, :ahead % 1000000, DATEADD(SECOND, :ahead / 1000000, SYSUTCDATETIME()));
DECLARE @found TABLE (place int PRIMARY KEY, id bigint);
INSERT INTO @found (place, id)
SELECT ROW_NUMBER() OVER (ORDER BY j.priority DESC, j.rank_base + h.ordinal, j.id), j.id
FROM jobs j WITH (READPAST, READCOMMITTEDLOCK) JOIN job_types t WITH (READCOMMITTEDLOCK) ON t.id = j.job_type_id
JOIN OPENJSON(:types) WITH (id int '$') u ON u.id = j.job_type_id
LEFT JOIN OPENJSON(:locked) WITH (id int '$') k ON k.id = t.id
CROSS APPLY (SELECT TOP (1) s.ordinal FROM slices s WITH (READPAST, READCOMMITTEDLOCK)
  WHERE s.job_id = j.id AND s.state = 0 ORDER BY s.ordinal) h
WHERE j.ended_at IS NULL AND j.started_at IS NOT NULL AND j.paused_at IS NULL AND j.stopping IS NULL AND t.paused_at IS NULL
  AND ((t.max_concurrency IS NULL AND t.rate IS NULL AND (j.max_concurrency IS NOT NULL OR j.rate IS NOT NULL)) OR k.id IS NOT NULL)
  AND (j.max_concurrency IS NULL
    OR j.max_concurrency > (SELECT COUNT(*) FROM slices l WITH (READCOMMITTEDLOCK) WHERE l.job_id = j.id AND l.state = 1))
  AND (j.rate IS NULL OR j.spent_until IS NULL OR j.spent_until <= @until);
-- then
SELECT TOP (:limit) j.id FROM @found f JOIN jobs j WITH (UPDLOCK, READPAST, ROWLOCK, READCOMMITTEDLOCK) ON j.id = f.id
WHERE j.ended_at IS NULL AND j.paused_at IS NULL AND j.stopping IS NULL
ORDER BY f.place OPTION (LOOP JOIN, FORCE ORDER, MAXDOP 1)
