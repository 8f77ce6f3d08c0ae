-- Free the slices of workers whose lease ran out, or that are known to be dead (:dead), and put each lapse on record.
-- The fence grows, so that a late settle finds nothing.
CREATE TEMP TABLE IF NOT EXISTS lapsing (job_id INTEGER, first_seq INTEGER, last_seq INTEGER, fence INTEGER, worker TEXT,
  running_seq INTEGER, claimed_at INTEGER)
-- then
DELETE FROM lapsing
-- then
INSERT INTO lapsing
SELECT s.job_id, s.first_seq, s.last_seq, s.fence, s.worker, s.running_seq, s.claimed_at
FROM slices s INDEXED BY slices_leased CROSS JOIN workers w ON w.incarnation = s.worker
WHERE s.state = 1 AND (w.lease_until < clock_timestamp() OR w.incarnation IN (SELECT value FROM json_each(:dead)))
ORDER BY s.job_id, s.first_seq LIMIT :limit
-- then
UPDATE slices SET state = 0, worker = NULL, claimed_at = NULL, running_seq = NULL, fence = fence + 1, lapses = lapses + 1
WHERE (job_id, first_seq) IN (SELECT job_id, first_seq FROM lapsing)
-- then
INSERT INTO lapses (job_id, first_seq, fence, last_seq, worker, kind, running_seq, claimed_at, lapsed_at)
SELECT job_id, first_seq, fence, last_seq, worker, 'lapsed', running_seq, claimed_at, clock_timestamp() FROM lapsing
RETURNING job_id, first_seq, fence, worker, running_seq
