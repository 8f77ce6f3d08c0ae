-- The shortlist: the first :limit runnable jobs in order. NEWID(): claimers that read it together start apart.
SELECT j.id FROM jobs j JOIN OPENJSON(:types) WITH (id int '$') t ON t.id = j.job_type_id
CROSS APPLY (SELECT TOP (1) s.ordinal FROM slices s WITH (READPAST, READCOMMITTEDLOCK)
  WHERE s.job_id = j.id AND s.state = 0 ORDER BY s.ordinal) h
WHERE j.ended_at IS NULL AND j.started_at IS NOT NULL AND j.paused_at IS NULL AND j.stopping IS NULL AND j.max_concurrency IS NULL
  AND j.rate IS NULL AND NOT EXISTS (SELECT 1 FROM job_types k
    WHERE k.id = j.job_type_id AND (k.paused_at IS NOT NULL OR k.max_concurrency IS NOT NULL OR k.rate IS NOT NULL))
ORDER BY j.priority DESC, j.rank_base + h.ordinal, NEWID() OFFSET 0 ROWS FETCH NEXT :limit ROWS ONLY
