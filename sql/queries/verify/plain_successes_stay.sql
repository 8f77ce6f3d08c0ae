-- I1: What succeeded plainly in a run never changes: a row written later is of an item that had failed or crashed before.
WITH found AS MATERIALIZED (  -- the first of each run
  SELECT r.job_id, r.first_seq, r.fence AS run_fence, (
    SELECT min(o.seq) FROM outcomes o
    WHERE o.job_id = r.job_id AND o.seq BETWEEN r.first_seq AND r.last_seq AND o.fence > r.fence
      AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.job_id = o.job_id AND a.seq = o.seq AND a.fence <= r.fence)
      AND NOT EXISTS (SELECT 1 FROM lapses l WHERE l.job_id = o.job_id AND l.first_seq = r.first_seq
                        AND l.running_seq = o.seq AND l.fence <= r.fence)) AS seq
  FROM runs r WHERE r.status = 'succeeded'
)
SELECT * FROM found WHERE seq IS NOT NULL ORDER BY job_id, seq LIMIT :limit
