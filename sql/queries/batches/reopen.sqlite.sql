-- Redriven items leave the counters of their batch, which is open again.
UPDATE batches SET dead = dead - :dead, cancelled = cancelled - :cancelled, completed_at = NULL
WHERE job_id = :job_id AND number = :number RETURNING number
