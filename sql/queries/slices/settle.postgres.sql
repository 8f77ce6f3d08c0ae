-- Write the outcomes of several slices; a slice whose guard fails loses only its own. Returns those that were held.
-- Serves a worker (its incarnation, state 1), the sweep of a stopping job and the burial of crashed items (no worker,
-- the state and fence that they read). Locks in order: slices, batches, jobs, each by key. Nothing is counted from a
-- snapshot: counters are added under their row's lock.
-- :slices one a slice · :items one an item that needs a row of its own · *_ago: time since then.
WITH given AS MATERIALIZED (
  SELECT * FROM unnest(:slices.job_id::bigint[], :slices.first_seq::bigint[], :slices.fence::integer[],
    :slices.state::smallint[], :slices.closing::boolean[], :slices.plain::integer[], :slices.run_status::text[],
    :slices.started_ago::interval[], :slices.finished_ago::interval[], :slices.start_offsets_us::text[],
    :slices.durations_us::text[], :slices.results::text[])
    AS g (job_id, first_seq, fence, state, closing, plain, run_status, started_ago, finished_ago, start_offsets_us,
          durations_us, results)
), held AS MATERIALIZED (  -- the guard; FOR UPDATE returns the newest row, and all below decides from it alone
  SELECT s.job_id, s.first_seq, s.last_seq, s.batch, s.open, s.settles, g.fence, g.closing, g.plain, g.run_status,
    g.started_ago, g.finished_ago, g.start_offsets_us, g.durations_us, g.results
  FROM given g JOIN slices s ON s.job_id = g.job_id AND s.first_seq = g.first_seq
  WHERE s.fence = g.fence AND s.state = g.state AND s.worker IS NOT DISTINCT FROM :worker::text
  ORDER BY s.job_id, s.first_seq FOR UPDATE OF s
), named AS MATERIALIZED (  -- a failed attempt of a stopping job ends cancelled, its error kept
  SELECT x.job_id, x.seq, h.first_seq, h.fence, x.attempts, x.max_attempts, x.failed, x.error_code, x.error, x.fingerprint,
    x.result, clock_timestamp() - x.started_ago AS started_at, clock_timestamp() - x.finished_ago AS finished_at,
    CASE WHEN x.status = 'retrying' AND j.stopping IS NOT NULL THEN 'cancelled' ELSE x.status END AS status,
    CASE WHEN x.status = 'dead' THEN x.reason END AS reason,
    CASE WHEN x.status = 'retrying' AND j.stopping IS NULL
      -- by slice and attempt: what failed together comes due together
      THEN max(clock_timestamp()) OVER (PARTITION BY x.job_id, x.first_seq, x.attempts) + x.wait END AS next_attempt_at
  FROM unnest(:items.job_id::bigint[], :items.first_seq::bigint[], :items.seq::bigint[], :items.status::text[],
    :items.reason::text[], :items.attempts::integer[], :items.max_attempts::integer[], :items.failed::boolean[],
    :items.wait::interval[], :items.started_ago::interval[], :items.finished_ago::interval[], :items.error_code::text[],
    :items.error::text[], :items.fingerprint::text[], :items.result::text[])
    AS x (job_id, first_seq, seq, status, reason, attempts, max_attempts, failed, wait, started_ago, finished_ago,
          error_code, error, fingerprint, result)
  JOIN held h ON h.job_id = x.job_id AND h.first_seq = x.first_seq
  JOIN jobs j ON j.id = x.job_id
), written AS (  -- once a fence: what a repeated statement finds here already is not returned, and so not counted
  INSERT INTO outcomes AS o (job_id, seq, status, reason, attempts, max_attempts, fence, started_at, finished_at,
    next_attempt_at, error_code, error, fingerprint, result)
  SELECT n.job_id, n.seq, n.status, n.reason, n.attempts, n.max_attempts, n.fence, n.started_at, n.finished_at,
    n.next_attempt_at, n.error_code, n.error, n.fingerprint, n.result
  FROM named n
  ON CONFLICT (job_id, seq) DO UPDATE SET status = excluded.status, reason = excluded.reason,
    attempts = excluded.attempts, max_attempts = excluded.max_attempts, fence = excluded.fence,
    started_at = excluded.started_at, finished_at = excluded.finished_at, next_attempt_at = excluded.next_attempt_at,
    error_code = excluded.error_code, error = excluded.error, fingerprint = excluded.fingerprint, result = excluded.result
  WHERE o.fence < excluded.fence
  RETURNING o.job_id, o.seq, o.status, o.next_attempt_at
), failures AS (
  INSERT INTO attempts (job_id, seq, attempt, worker, fence, started_at, ended_at, code, error)
  SELECT n.job_id, n.seq, n.attempts, :worker, n.fence, n.started_at, n.finished_at, n.error_code, n.error
  FROM named n JOIN written w ON w.job_id = n.job_id AND w.seq = n.seq WHERE n.failed
), run AS (  -- "every item of this range without a row of its own ended like this here"; the first settle alone has one
  INSERT INTO runs (job_id, first_seq, last_seq, status, fence, worker, started_at, finished_at, start_offsets_us,
    durations_us, results)
  SELECT h.job_id, h.first_seq, h.last_seq, h.run_status, h.fence, :worker, clock_timestamp() - h.started_ago,
    clock_timestamp() - h.finished_ago, h.start_offsets_us, h.durations_us, h.results
  FROM held h WHERE h.closing AND h.settles = 0 AND h.plain > 0
), counted AS MATERIALIZED (  -- what each slice adds, from the rows returned alone
  SELECT h.job_id, h.first_seq, h.last_seq, h.batch, h.open, h.closing,
    w.succeeded + CASE WHEN h.run_status = 'succeeded' THEN h.plain ELSE 0 END AS succeeded, w.skipped, w.dead,
    w.cancelled + CASE WHEN h.run_status = 'cancelled' THEN h.plain ELSE 0 END AS cancelled,
    h.open - h.plain - w.succeeded - w.skipped - w.dead - w.cancelled AS left_open, w.waiting, w.due_at
  FROM held h CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE w.status = 'succeeded')::integer AS succeeded,
      count(*) FILTER (WHERE w.status = 'skipped')::integer AS skipped, count(*) FILTER (WHERE w.status = 'dead')::integer AS dead,
      count(*) FILTER (WHERE w.status = 'cancelled')::integer AS cancelled,
      count(*) FILTER (WHERE w.status = 'retrying')::integer AS waiting, min(w.next_attempt_at) AS due_at
    FROM written w WHERE w.job_id = h.job_id AND w.seq BETWEEN h.first_seq AND h.last_seq) w
), gone AS (  -- a slice ends when nothing of it is open, by a flush too
  DELETE FROM slices s USING counted c WHERE s.job_id = c.job_id AND s.first_seq = c.first_seq AND c.left_open = 0
), flushed AS (  -- a free slice (a burial) gets a new fence, so that a claim with an older snapshot does not take it
  UPDATE slices s SET open = c.left_open, fence = s.fence + CASE WHEN s.state = 1 THEN 0 ELSE 1 END FROM counted c
  WHERE s.job_id = c.job_id AND s.first_seq = c.first_seq AND c.left_open > 0 AND NOT c.closing
), armed AS (  -- at its earliest next attempt; at once where a retry is not seen here: a redrive may have committed meanwhile
  UPDATE slices s SET open = c.left_open, settles = s.settles + 1, fence = s.fence + 1, worker = NULL, running_seq = NULL, claimed_at = NULL,
    state = CASE WHEN c.waiting + e.waiting < c.left_open THEN 0 ELSE 2 END,
    available_at = CASE WHEN c.waiting + e.waiting < c.left_open THEN NULL ELSE least(c.due_at, e.due_at) END
  FROM counted c CROSS JOIN LATERAL (
    SELECT count(*) AS waiting, min(o.next_attempt_at) AS due_at FROM outcomes o
    WHERE o.job_id = c.job_id AND o.seq BETWEEN c.first_seq AND c.last_seq AND o.status = 'retrying'
      AND NOT EXISTS (SELECT FROM named n WHERE n.job_id = o.job_id AND n.seq = o.seq)) e
  WHERE s.job_id = c.job_id AND s.first_seq = c.first_seq AND c.left_open > 0 AND c.closing
), sums AS (
  SELECT job_id, batch, sum(succeeded)::integer AS succeeded, sum(skipped)::integer AS skipped, sum(dead)::integer AS dead,
    sum(cancelled)::integer AS cancelled FROM counted GROUP BY job_id, batch
  HAVING sum(succeeded + skipped + dead + cancelled) > 0
), batch_locks AS MATERIALIZED (
  SELECT b.job_id, b.number, s.succeeded, s.skipped, s.dead, s.cancelled
  FROM batches b JOIN sums s ON s.job_id = b.job_id AND s.batch = b.number
  ORDER BY b.job_id, b.number FOR UPDATE OF b
), added AS (  -- added to the newest row; the batch whose counters now make its total closes
  UPDATE batches b SET succeeded = b.succeeded + l.succeeded, skipped = b.skipped + l.skipped, dead = b.dead + l.dead,
    cancelled = b.cancelled + l.cancelled,
    completed_at = CASE WHEN b.total = b.succeeded + b.skipped + b.dead + b.cancelled
      + l.succeeded + l.skipped + l.dead + l.cancelled THEN clock_timestamp() END
  FROM batch_locks l WHERE b.job_id = l.job_id AND b.number = l.number
  RETURNING b.job_id, b.succeeded, b.skipped, b.dead, b.cancelled, b.completed_at
), closed AS (
  SELECT job_id, count(*)::integer AS batches, sum(succeeded) AS succeeded, sum(skipped) AS skipped, sum(dead) AS dead,
    sum(cancelled) AS cancelled FROM added WHERE completed_at IS NOT NULL GROUP BY job_id
), job_locks AS MATERIALIZED (
  SELECT j.id, c.* FROM jobs j JOIN closed c ON c.job_id = j.id ORDER BY j.id FOR UPDATE OF j
), ended AS (  -- the sealed job whose last batch closed ends
  UPDATE jobs j SET batches_open = j.batches_open - l.batches, succeeded = j.succeeded + l.succeeded,
    skipped = j.skipped + l.skipped, dead = j.dead + l.dead, cancelled = j.cancelled + l.cancelled,
    ended_at = CASE WHEN j.sealed_at IS NOT NULL AND j.batches_open = l.batches THEN greatest(clock_timestamp(), j.created_at) END
  FROM job_locks l WHERE j.id = l.id RETURNING j.id, j.round, j.status, j.ended_at
), event AS (
  INSERT INTO events (job_id, round, status) SELECT id, round, status FROM ended WHERE ended_at IS NOT NULL
)
SELECT h.job_id, h.first_seq, e.id IS NOT NULL AND e.ended_at IS NOT NULL AS job_ended, c.due_at
FROM held h JOIN counted c ON c.job_id = h.job_id AND c.first_seq = h.first_seq LEFT JOIN ended e ON e.id = h.job_id
