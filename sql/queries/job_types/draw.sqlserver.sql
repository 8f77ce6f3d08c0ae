-- Take :items starts out of the account of a job type: at its rate they fill the time up to `spent_until`. What was not
-- used is kept for :credit at most. No row: there is no rate.
DECLARE @now datetime2(6) = SYSUTCDATETIME();
DECLARE @least datetime2(6) = DATEADD(MICROSECOND, -(:credit % 1000000), DATEADD(SECOND, -(:credit / 1000000), @now));
DECLARE @drawn TABLE (spent_until datetime2(6), rate float);
UPDATE u SET spent_until = DATEADD(MICROSECOND, c.us % 1000000, DATEADD(SECOND, c.us / 1000000,
  CASE WHEN u.spent_until IS NULL THEN @now WHEN u.spent_until < @least THEN @least ELSE u.spent_until END))
OUTPUT inserted.spent_until, inserted.rate INTO @drawn
FROM job_types u CROSS APPLY (SELECT CAST(:items * 1000000.0 / u.rate AS bigint) AS us) c
WHERE u.id = :id AND u.rate IS NOT NULL;
-- then
SELECT spent_until, rate, @now AS now_at FROM @drawn
