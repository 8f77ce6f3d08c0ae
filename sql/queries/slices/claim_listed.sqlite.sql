-- claim over given jobs: of a shortlist read at most 250 ms ago (without a room), and those under a limit (with the
-- room that the same transaction has counted). :jobs {job_id, floor, room} in order.
CREATE TEMP TABLE IF NOT EXISTS claimed (job_id INTEGER, first_seq INTEGER, priority INTEGER, rank INTEGER)
-- then
DELETE FROM claimed
-- then: status is checked here, and that what has no room is under no limit
INSERT INTO claimed
WITH heads AS MATERIALIZED (
  SELECT j.id, j.priority, j.rank_base, f.value ->> 'floor' AS floor,
    coalesce(f.value ->> 'room', :limit) AS room
  FROM json_each(:jobs) f JOIN jobs j ON j.id = f.value ->> 'job_id'
  WHERE j.ended_at IS NULL AND j.started_at IS NOT NULL AND j.paused_at IS NULL AND j.stopping IS NULL
    AND j.job_type_id IN (SELECT value FROM json_each(:types))
    AND (f.value ->> 'room' > 0 OR f.value ->> 'room' IS NULL AND j.max_concurrency IS NULL AND j.rate IS NULL)
    AND NOT EXISTS (SELECT 1 FROM job_types t WHERE t.id = j.job_type_id AND (t.paused_at IS NOT NULL
      OR f.value ->> 'room' IS NULL AND (t.max_concurrency IS NOT NULL OR t.rate IS NOT NULL)))
    AND EXISTS (SELECT 1 FROM workers w WHERE w.incarnation = :worker AND w.lease_until > clock_timestamp())
)
SELECT job_id, first_seq, priority, rank FROM (
  SELECT s.job_id, s.first_seq, h.priority, h.rank_base + s.ordinal AS rank, h.room,
    row_number() OVER (PARTITION BY s.job_id ORDER BY s.ordinal) AS place
  FROM heads h CROSS JOIN slices s
  WHERE s.job_id = h.id AND s.state = 0 AND s.ordinal >= h.floor
    AND s.ordinal <= (SELECT max(c.ordinal) FROM (SELECT c.ordinal FROM slices c
      WHERE c.job_id = h.id AND c.state = 0 AND c.ordinal >= h.floor ORDER BY c.ordinal LIMIT :limit) c))
WHERE place <= room ORDER BY priority DESC, rank LIMIT :limit
-- then
UPDATE slices SET state = 1, fence = fence + 1, worker = :worker, claimed_at = clock_timestamp()
WHERE (job_id, first_seq) IN (SELECT job_id, first_seq FROM claimed)
-- then: an item of the range with a row of its own is left out where that is final or not due; due ones are retries;
-- after a settle only items with a row of their own are left
SELECT m.job_id, m.first_seq, m.last_seq, m.ordinal, m.fence, m.settles, j.job_type_id,
  j.max_concurrency, t.max_concurrency AS type_max_concurrency, j.rate, t.rate AS type_rate,
  m.lapses > 0 AND EXISTS (  -- suspect: a claim of it ended with a worker that was not seen again
    SELECT 1 FROM lapses l WHERE l.job_id = m.job_id AND l.first_seq = m.first_seq AND l.kind = 'lapsed' AND NOT EXISTS (
      SELECT 1 FROM workers w WHERE w.incarnation = l.worker AND (w.seen_at > l.lapsed_at OR w.seen_at >= w.lease_until))) AS suspect,
  (SELECT json_group_array(o.seq) FROM outcomes o WHERE o.job_id = m.job_id AND o.seq BETWEEN m.first_seq AND m.last_seq
     AND o.status = 'retrying' AND o.next_attempt_at <= clock_timestamp()) AS retry_seqs,
  (SELECT json_group_array(o.attempts) FROM outcomes o WHERE o.job_id = m.job_id AND o.seq BETWEEN m.first_seq AND m.last_seq
     AND o.status = 'retrying' AND o.next_attempt_at <= clock_timestamp()) AS retry_attempts,
  (SELECT json_group_array(o.max_attempts) FROM outcomes o WHERE o.job_id = m.job_id AND o.seq BETWEEN m.first_seq AND m.last_seq
     AND o.status = 'retrying' AND o.next_attempt_at <= clock_timestamp()) AS retry_max_attempts,
  p.seqs, p.keys, p.body
FROM claimed c JOIN slices m ON m.job_id = c.job_id AND m.first_seq = c.first_seq JOIN jobs j ON j.id = m.job_id
JOIN job_types t ON t.id = j.job_type_id
LEFT JOIN (
  SELECT i.job_id, i.slice, json_group_array(i.seq) AS seqs, json_group_array(i.idempotency_key) AS keys,
    '[' || group_concat(i.payload, ',') || ']' AS body
  FROM (SELECT i.job_id, s.first_seq AS slice, i.seq, i.idempotency_key, i.payload
        FROM claimed c CROSS JOIN slices s ON s.job_id = c.job_id AND s.first_seq = c.first_seq
        CROSS JOIN items i ON i.job_id = s.job_id AND i.seq BETWEEN s.first_seq AND s.last_seq
        LEFT JOIN outcomes o ON o.job_id = i.job_id AND o.seq = i.seq
        WHERE (o.seq IS NULL AND s.settles = 0) OR (o.status = 'retrying' AND o.next_attempt_at <= clock_timestamp())
        ORDER BY i.job_id, i.seq) i
  GROUP BY i.job_id, i.slice) p ON p.job_id = m.job_id AND p.slice = m.first_seq
ORDER BY c.priority DESC, c.rank
