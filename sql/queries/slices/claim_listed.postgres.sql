-- claim over given jobs: of a shortlist read at most 250 ms ago (without a room), and those under a limit, whose rows
-- the same transaction has locked (with the room that it has counted since). :jobs in order, each with its floor (a hint).
WITH heads AS MATERIALIZED (  -- status is checked here, and that what has no room is under no limit
  SELECT j.id, j.priority, j.rank_base, f.floor, coalesce(f.room, :limit::integer * 4 + 40) AS room
  FROM unnest(:jobs.job_id::bigint[], :jobs.floor::bigint[], :jobs.room::integer[]) AS f (job_id, floor, room)
  JOIN jobs j ON j.id = f.job_id
  WHERE j.ended_at IS NULL AND j.started_at IS NOT NULL AND j.paused_at IS NULL AND j.stopping IS NULL
    AND j.job_type_id = ANY (:types::integer[])
    AND (f.room > 0 OR f.room IS NULL AND j.max_concurrency IS NULL AND j.rate IS NULL)
    AND NOT EXISTS (SELECT FROM job_types t WHERE t.id = j.job_type_id AND (t.paused_at IS NOT NULL
      OR f.room IS NULL AND (t.max_concurrency IS NOT NULL OR t.rate IS NOT NULL)))
    AND EXISTS (SELECT FROM workers w WHERE w.incarnation = :worker AND w.lease_until > clock_timestamp())
), candidates AS MATERIALIZED (  -- their ready slices; more than :limit, since others may hold some
  SELECT c.job_id, c.first_seq, c.fence, h.priority, h.rank_base + c.ordinal AS rank
  FROM heads h CROSS JOIN LATERAL (
    SELECT s.job_id, s.first_seq, s.ordinal, s.fence FROM slices s
    WHERE s.job_id = h.id AND s.state = 0 AND s.ordinal >= h.floor ORDER BY s.ordinal LIMIT least(h.room, :limit::integer * 4 + 40)) c
  ORDER BY h.priority DESC, rank LIMIT :limit::integer * 4 + 40
), locked AS MATERIALIZED (  -- the first :limit that nobody holds; the fence must be the one that the snapshot read
  -- state < 1 is state = 0, but leads no planner to look for single slices in the index of all ready ones
  SELECT s.job_id, s.first_seq
  FROM candidates c JOIN slices s ON s.job_id = c.job_id AND s.first_seq = c.first_seq
  WHERE s.state < 1 AND s.fence = c.fence
  ORDER BY c.priority DESC, c.rank LIMIT :limit FOR UPDATE OF s SKIP LOCKED
), mine AS (
  UPDATE slices s SET state = 1, fence = s.fence + 1, worker = :worker, claimed_at = clock_timestamp()
  FROM locked l WHERE s.job_id = l.job_id AND s.first_seq = l.first_seq
  RETURNING s.job_id, s.first_seq, s.last_seq, s.ordinal, s.fence, s.settles, s.lapses
)
SELECT m.job_id, m.first_seq, m.last_seq, m.ordinal, m.fence, m.settles, j.job_type_id,
  j.max_concurrency, t.max_concurrency AS type_max_concurrency, j.rate, t.rate AS type_rate,
  CASE WHEN m.lapses > 0 THEN EXISTS (  -- suspect: a claim of it ended with a worker that was not seen again
    SELECT FROM lapses l WHERE l.job_id = m.job_id AND l.first_seq = m.first_seq AND l.kind = 'lapsed' AND NOT EXISTS (
      SELECT FROM workers w WHERE w.incarnation = l.worker AND (w.seen_at > l.lapsed_at OR w.seen_at >= w.lease_until))) ELSE false END AS suspect,
  r.due AS retry_seqs, r.attempts AS retry_attempts, r.max_attempts AS retry_max_attempts, p.seqs, p.keys, p.body
FROM mine m JOIN jobs j ON j.id = m.job_id JOIN job_types t ON t.id = j.job_type_id
CROSS JOIN LATERAL (  -- items of the range with a row of their own: final or not due are left out, due ones are retries
  SELECT array_agg(o.seq) FILTER (WHERE NOT o.due) AS shut, array_agg(o.seq) FILTER (WHERE o.due) AS due,
    array_agg(o.attempts) FILTER (WHERE o.due) AS attempts, array_agg(o.max_attempts) FILTER (WHERE o.due) AS max_attempts
  FROM (SELECT o.seq, o.attempts, o.max_attempts, o.status = 'retrying' AND o.next_attempt_at <= clock_timestamp() AS due
        FROM outcomes o WHERE o.job_id = m.job_id AND o.seq BETWEEN m.first_seq AND m.last_seq OFFSET 0) o) r
CROSS JOIN LATERAL (  -- payloads as one JSON array; after a settle only items with a row of their own are left
  SELECT array_agg(i.seq) AS seqs, array_agg(i.idempotency_key) AS keys, '[' || string_agg(i.payload, ',') || ']' AS body
  FROM (SELECT i.seq, i.idempotency_key, i.payload FROM items i
        WHERE i.job_id = m.job_id AND i.seq BETWEEN m.first_seq AND m.last_seq
          AND CASE WHEN m.settles > 0 THEN i.seq = ANY (r.due) ELSE r.shut IS NULL OR i.seq <> ALL (r.shut) END
        ORDER BY i.seq OFFSET 0) i) p
ORDER BY j.priority DESC, j.rank_base + m.ordinal
