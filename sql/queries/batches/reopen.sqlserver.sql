-- Redriven items leave the counters of their batch, which is open again.
DECLARE @reopened TABLE (number int);
UPDATE batches SET dead = dead - :dead, cancelled = cancelled - :cancelled, completed_at = NULL
OUTPUT inserted.number INTO @reopened
WHERE job_id = :job_id AND number = :number;
-- then
SELECT number FROM @reopened
