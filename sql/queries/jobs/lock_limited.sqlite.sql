-- Runnable jobs under a limit of their own, or of their type if that is one of :locked (which have room), in order;
-- the transaction that asks is the only writer.
SELECT id FROM (
  SELECT j.id, j.priority, j.rank_base + (SELECT min(s.ordinal) FROM slices s WHERE s.job_id = j.id AND s.state = 0) AS rank
  FROM jobs j JOIN job_types t ON t.id = j.job_type_id
  WHERE j.ended_at IS NULL AND j.started_at IS NOT NULL AND j.paused_at IS NULL AND j.stopping IS NULL
    AND j.job_type_id IN (SELECT value FROM json_each(:types)) AND t.paused_at IS NULL
    AND CASE WHEN t.max_concurrency IS NULL AND t.rate IS NULL THEN j.max_concurrency IS NOT NULL OR j.rate IS NOT NULL
      ELSE t.id IN (SELECT value FROM json_each(:locked)) END
    AND (j.max_concurrency IS NULL
      OR j.max_concurrency > (SELECT count(*) FROM slices l WHERE l.job_id = j.id AND l.state = 1))
    AND (j.rate IS NULL OR j.spent_until IS NULL OR j.spent_until <= clock_timestamp() + :ahead))
WHERE rank IS NOT NULL ORDER BY priority DESC, rank, id LIMIT :limit
