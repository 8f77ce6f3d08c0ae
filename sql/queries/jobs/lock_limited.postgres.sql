-- Runnable jobs under a limit of their own, or of their type if that is one of :locked (which have room), in order,
-- locked: their room is counted in the statement after this one. Here full ones only take no place before the LIMIT.
SELECT j.id FROM jobs j JOIN job_types t ON t.id = j.job_type_id
CROSS JOIN LATERAL (SELECT s.ordinal FROM slices s WHERE s.job_id = j.id AND s.state = 0 ORDER BY s.ordinal LIMIT 1) h
WHERE j.ended_at IS NULL AND j.started_at IS NOT NULL AND j.paused_at IS NULL AND j.stopping IS NULL
  AND j.job_type_id = ANY (:types::integer[]) AND t.paused_at IS NULL
  AND CASE WHEN t.max_concurrency IS NULL AND t.rate IS NULL THEN j.max_concurrency IS NOT NULL OR j.rate IS NOT NULL
    ELSE t.id = ANY (:locked::integer[]) END
  AND (j.max_concurrency IS NULL
    OR j.max_concurrency > (SELECT count(*) FROM slices l WHERE l.job_id = j.id AND l.state = 1))
  AND (j.rate IS NULL OR j.spent_until IS NULL OR j.spent_until <= clock_timestamp() + :ahead::interval)
ORDER BY j.priority DESC, j.rank_base + h.ordinal, j.id LIMIT :limit FOR UPDATE OF j SKIP LOCKED
