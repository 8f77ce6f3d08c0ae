-- Free the slices of workers whose lease ran out, or that are known to be dead (:dead), and put each lapse on record.
-- The fence grows, so that a late settle finds nothing. FOR UPDATE returns the newest row: what was settled meanwhile
-- is not taken.
WITH gone AS MATERIALIZED (
  SELECT w.incarnation FROM workers w
  WHERE w.lease_until < (SELECT clock_timestamp()) OR w.incarnation = ANY (:dead::text[])
), held AS MATERIALIZED (
  SELECT s.job_id, s.first_seq, s.last_seq, s.fence, s.worker, s.running_seq, s.claimed_at
  FROM slices s JOIN gone g ON g.incarnation = s.worker
  WHERE s.state = 1 ORDER BY s.job_id, s.first_seq LIMIT :limit FOR UPDATE OF s SKIP LOCKED
), freed AS (
  UPDATE slices s SET state = 0, worker = NULL, claimed_at = NULL, running_seq = NULL, fence = s.fence + 1,
    lapses = s.lapses + 1
  FROM held h WHERE s.job_id = h.job_id AND s.first_seq = h.first_seq
)
INSERT INTO lapses (job_id, first_seq, fence, last_seq, worker, kind, running_seq, claimed_at, lapsed_at)
SELECT job_id, first_seq, fence, last_seq, worker, 'lapsed', running_seq, claimed_at, clock_timestamp() FROM held
RETURNING job_id, first_seq, fence, worker, running_seq
