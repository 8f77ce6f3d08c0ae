-- Which of these jobs have an item whose key a line may take over: dead, cancelled, or of a stopping job.
SELECT j.id FROM OPENJSON(:jobs) WITH (id bigint '$') u JOIN jobs j ON j.id = u.id
WHERE j.stopping IS NOT NULL OR j.dead + j.cancelled > 0
  OR EXISTS (SELECT 1 FROM batches b WHERE b.job_id = j.id AND b.completed_at IS NULL AND b.dead + b.cancelled > 0)
