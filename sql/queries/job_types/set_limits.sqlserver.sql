-- Change what is asked for, and leave the rest; another rate begins with a fresh account.
DECLARE @set TABLE (id int, name nvarchar(400), paused_at datetime2(6), max_concurrency int, rate float);
UPDATE job_types SET
  paused_at = CASE WHEN :sets_paused = 0 THEN paused_at WHEN :paused = 1 THEN COALESCE(paused_at, SYSUTCDATETIME()) END,
  max_concurrency = CASE WHEN :sets_max_concurrency = 1 THEN :max_concurrency ELSE max_concurrency END,
  rate = CASE WHEN :sets_rate = 1 THEN :rate ELSE rate END,
  spent_until = CASE WHEN :sets_rate = 1 THEN NULL ELSE spent_until END
OUTPUT inserted.id, inserted.name, inserted.paused_at, inserted.max_concurrency, inserted.rate INTO @set
WHERE name = :name;
-- then
SELECT id, name, paused_at, max_concurrency, rate FROM @set
