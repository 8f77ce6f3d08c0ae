-- The shortlist: the first :limit runnable jobs in order. random(): claimers that read it together start apart.
SELECT j.id FROM jobs j
CROSS JOIN LATERAL (SELECT s.ordinal FROM slices s WHERE s.job_id = j.id AND s.state = 0 ORDER BY s.ordinal LIMIT 1) h
WHERE j.ended_at IS NULL AND j.started_at IS NOT NULL AND j.paused_at IS NULL AND j.stopping IS NULL
  AND j.max_concurrency IS NULL AND j.rate IS NULL AND j.job_type_id = ANY (:types::integer[])
  AND NOT EXISTS (SELECT FROM job_types t WHERE t.id = j.job_type_id 
      AND (t.paused_at IS NOT NULL OR t.max_concurrency IS NOT NULL OR t.rate IS NOT NULL))
ORDER BY j.priority DESC, j.rank_base + h.ordinal, random() LIMIT :limit
