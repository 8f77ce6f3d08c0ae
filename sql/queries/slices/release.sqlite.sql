-- Give claimed slices back, without an attempt. Where an item had started (`started`) a lapses row says so.
INSERT INTO lapses (job_id, first_seq, fence, last_seq, worker, kind, running_seq, claimed_at, lapsed_at)
SELECT s.job_id, s.first_seq, s.fence, s.last_seq, s.worker, 'released', s.running_seq, s.claimed_at, clock_timestamp()
FROM json_each(:slices) g
CROSS JOIN slices s ON s.job_id = g.value ->> 'job_id' AND s.first_seq = g.value ->> 'first_seq'
WHERE s.fence = g.value ->> 'fence' AND s.worker = :worker AND s.state = 1 AND g.value ->> 'started'
-- then
UPDATE slices SET state = 0, worker = NULL, claimed_at = NULL, running_seq = NULL, fence = fence + 1
WHERE state = 1 AND worker = :worker AND (job_id, first_seq, fence) IN (
  SELECT g.value ->> 'job_id', g.value ->> 'first_seq', g.value ->> 'fence' FROM json_each(:slices) g)
RETURNING job_id, first_seq
