-- Take :items starts out of the account of a job: at its rate they fill the time up to `spent_until`. What was not
-- used is kept for :credit at most. No row: there is no rate.
DECLARE @now datetime2(6) = SYSUTCDATETIME();
DECLARE @least datetime2(6) = DATEADD(MICROSECOND, -(:credit % 1000000), DATEADD(SECOND, -(:credit / 1000000), @now));
DECLARE @us bigint = (SELECT CAST(:items * 1000000.0 / rate AS bigint) FROM jobs WITH (UPDLOCK, ROWLOCK, READCOMMITTEDLOCK) WHERE id = :id);
DECLARE @drawn TABLE (spent_until datetime2(6), rate float);
UPDATE jobs SET spent_until = DATEADD(MICROSECOND, @us % 1000000, DATEADD(SECOND, @us / 1000000,
  CASE WHEN spent_until IS NULL THEN @now WHEN spent_until < @least THEN @least ELSE spent_until END))
OUTPUT inserted.spent_until, inserted.rate INTO @drawn
WHERE id = :id AND rate IS NOT NULL;
-- then
SELECT spent_until, rate, @now AS now_at FROM @drawn
