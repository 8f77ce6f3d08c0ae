-- The shortlist: the first :limit runnable jobs in order.
SELECT id FROM (
  SELECT j.id, j.priority, j.rank_base + (SELECT min(s.ordinal) FROM slices s WHERE s.job_id = j.id AND s.state = 0) AS rank
  FROM jobs j
  WHERE j.ended_at IS NULL AND j.started_at IS NOT NULL AND j.paused_at IS NULL AND j.stopping IS NULL
    AND j.max_concurrency IS NULL AND j.rate IS NULL AND j.job_type_id IN (SELECT value FROM json_each(:types))
    AND NOT EXISTS (SELECT 1 FROM job_types t WHERE t.id = j.job_type_id 
      AND (t.paused_at IS NOT NULL OR t.max_concurrency IS NOT NULL OR t.rate IS NOT NULL)))
WHERE rank IS NOT NULL ORDER BY priority DESC, rank, random() LIMIT :limit
