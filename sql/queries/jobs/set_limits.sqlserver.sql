-- Change what is asked for, and leave the rest; another rate begins with a fresh account.
DECLARE @set TABLE (id bigint, priority int, max_concurrency int, rate float);
UPDATE jobs SET priority = CASE WHEN :sets_priority = 1 THEN :priority ELSE priority END,
  max_concurrency = CASE WHEN :sets_max_concurrency = 1 THEN :max_concurrency ELSE max_concurrency END,
  rate = CASE WHEN :sets_rate = 1 THEN :rate ELSE rate END,
  spent_until = CASE WHEN :sets_rate = 1 THEN NULL ELSE spent_until END
OUTPUT inserted.id, inserted.priority, inserted.max_concurrency, inserted.rate INTO @set
WHERE id = :job_id AND ended_at IS NULL;
-- then
SELECT id, priority, max_concurrency, rate FROM @set
