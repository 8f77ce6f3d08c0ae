-- Give claimed slices back, without an attempt. Where an item had started (`started`) a lapses row says so.
WITH held AS MATERIALIZED (
  SELECT s.job_id, s.first_seq, s.last_seq, s.fence, s.worker, s.running_seq, s.claimed_at, g.started
  FROM unnest(:slices.job_id::bigint[], :slices.first_seq::bigint[], :slices.fence::integer[], :slices.started::boolean[])
    AS g (job_id, first_seq, fence, started)
  JOIN slices s ON s.job_id = g.job_id AND s.first_seq = g.first_seq
  WHERE s.fence = g.fence AND s.worker = :worker AND s.state = 1
  ORDER BY s.job_id, s.first_seq FOR UPDATE OF s
), recorded AS (
  INSERT INTO lapses (job_id, first_seq, fence, last_seq, worker, kind, running_seq, claimed_at, lapsed_at)
  SELECT job_id, first_seq, fence, last_seq, worker, 'released', running_seq, claimed_at, clock_timestamp()
  FROM held WHERE started
)
UPDATE slices s SET state = 0, worker = NULL, claimed_at = NULL, running_seq = NULL, fence = s.fence + 1
FROM held h WHERE s.job_id = h.job_id AND s.first_seq = h.first_seq RETURNING s.job_id, s.first_seq
