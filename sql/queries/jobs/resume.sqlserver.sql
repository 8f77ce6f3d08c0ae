-- Resumed at the head of the queue as it is now.
DECLARE @head bigint = (
  SELECT MIN(j.rank_base + COALESCE(h.ordinal, j.slices_cut)) FROM jobs j
  OUTER APPLY (SELECT MIN(s.ordinal) AS ordinal FROM slices s WITH (READPAST, READCOMMITTEDLOCK)
    WHERE s.job_id = j.id AND s.state = 0) h
  WHERE j.ended_at IS NULL AND j.paused_at IS NULL AND j.stopping IS NULL);
DECLARE @first bigint = (SELECT MIN(s.ordinal) FROM slices s WITH (READPAST, READCOMMITTEDLOCK) WHERE s.job_id = :job_id AND s.state = 0);
DECLARE @resumed TABLE (id bigint);
UPDATE jobs SET paused_at = NULL, rank_base = COALESCE(@head, rank_base) - COALESCE(@first, slices_cut)
OUTPUT inserted.id INTO @resumed
WHERE id = :job_id AND paused_at IS NOT NULL;
-- then
SELECT id FROM @resumed
