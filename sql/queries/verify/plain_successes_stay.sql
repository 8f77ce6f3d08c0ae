-- I1: What succeeded plainly in a run never changes: a row written later belongs to an item that had failed or crashed before.
WITH later AS MATERIALIZED (
  SELECT o.job_id, o.seq, o.status, o.fence, (SELECT r.fence FROM runs r
    WHERE r.job_id = o.job_id AND r.status = 'succeeded' AND r.last_seq >= o.seq AND r.first_seq = (
      SELECT max(c.first_seq) FROM runs c WHERE c.job_id = o.job_id AND c.first_seq <= o.seq)) AS run_fence
  FROM outcomes o
)
SELECT l.job_id, l.seq, l.status, l.fence, l.run_fence FROM later l
WHERE l.fence > l.run_fence
  AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.job_id = l.job_id AND a.seq = l.seq AND a.fence <= l.run_fence)
  AND NOT EXISTS (SELECT 1 FROM lapses p WHERE p.job_id = l.job_id AND p.running_seq = l.seq AND p.fence <= l.run_fence)
ORDER BY l.job_id, l.seq LIMIT :limit
