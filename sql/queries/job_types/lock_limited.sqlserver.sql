-- Job types under a limit that have room, locked; what is leased of them is counted again in a statement after this one.
SELECT t.id FROM OPENJSON(:types) WITH (id int '$') u
JOIN job_types t WITH (UPDLOCK, READPAST, ROWLOCK, READCOMMITTEDLOCK) ON t.id = u.id
WHERE (t.max_concurrency IS NOT NULL OR t.rate IS NOT NULL)
  AND (t.max_concurrency IS NULL OR t.max_concurrency > (
    SELECT COUNT(*) FROM jobs k JOIN slices l ON l.job_id = k.id AND l.state = 1 WHERE k.ended_at IS NULL AND k.job_type_id = t.id))
  AND (t.rate IS NULL OR t.spent_until IS NULL
    OR t.spent_until <= DATEADD(MICROSECOND, :ahead % 1000000, DATEADD(SECOND, :ahead / 1000000, SYSUTCDATETIME())))
ORDER BY t.id
