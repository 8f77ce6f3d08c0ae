-- Resumed at the head of the queue as it is now.
UPDATE jobs SET paused_at = NULL, rank_base = coalesce((
    SELECT min(j.rank_base + coalesce((SELECT min(s.ordinal) FROM slices s WHERE s.job_id = j.id AND s.state = 0), j.slices_cut))
    FROM jobs j WHERE j.ended_at IS NULL AND j.paused_at IS NULL AND j.stopping IS NULL), jobs.rank_base)
  - coalesce((SELECT min(s.ordinal) FROM slices s WHERE s.job_id = jobs.id AND s.state = 0), jobs.slices_cut)
WHERE id = :job_id AND paused_at IS NOT NULL RETURNING id
