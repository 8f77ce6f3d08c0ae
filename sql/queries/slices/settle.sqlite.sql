-- Write the outcomes of several slices; a slice whose guard fails loses only its own. Returns those that were held.
-- Serves a worker (its incarnation, state 1), the sweep of a stopping job and the burial of crashed items (no worker,
-- the state and fence that they read). BEGIN IMMEDIATE makes what the first steps hold final for the rest.
-- :slices one a slice · :items one an item that needs a row of its own · *_ago: time since then.
CREATE TEMP TABLE IF NOT EXISTS held (job_id INTEGER, first_seq INTEGER, last_seq INTEGER, batch INTEGER, open INTEGER,
  settles INTEGER, fence INTEGER, closing INTEGER, plain INTEGER, run_status TEXT, started_ago INTEGER,
  finished_ago INTEGER, start_offsets_us TEXT, durations_us TEXT, results TEXT, succeeded INTEGER, skipped INTEGER,
  dead INTEGER, cancelled INTEGER, left_open INTEGER, due_at INTEGER, waiting INTEGER, PRIMARY KEY (job_id, first_seq)) WITHOUT ROWID
-- then
CREATE TEMP TABLE IF NOT EXISTS named (job_id INTEGER, seq INTEGER, first_seq INTEGER, fence INTEGER, status TEXT,
  reason TEXT, attempts INTEGER, max_attempts INTEGER, failed INTEGER, started_at INTEGER, finished_at INTEGER,
  next_attempt_at INTEGER, error_code TEXT, error TEXT, fingerprint TEXT, result TEXT, PRIMARY KEY (job_id, seq)) WITHOUT ROWID
-- then
CREATE TEMP TABLE IF NOT EXISTS added (job_id INTEGER, batch INTEGER, succeeded INTEGER, skipped INTEGER, dead INTEGER,
  cancelled INTEGER, closes INTEGER, PRIMARY KEY (job_id, batch)) WITHOUT ROWID
-- then
DELETE FROM held
-- then
DELETE FROM named
-- then
DELETE FROM added
-- then: the guard
INSERT INTO held (job_id, first_seq, last_seq, batch, open, settles, fence, closing, plain, run_status, started_ago,
  finished_ago, start_offsets_us, durations_us, results)
SELECT s.job_id, s.first_seq, s.last_seq, s.batch, s.open, s.settles, s.fence, g.value ->> 'closing', g.value ->> 'plain',
  g.value ->> 'run_status', g.value ->> 'started_ago', g.value ->> 'finished_ago', g.value ->> 'start_offsets_us',
  g.value ->> 'durations_us', g.value ->> 'results'
FROM json_each(:slices) g
CROSS JOIN slices s ON s.job_id = g.value ->> 'job_id' AND s.first_seq = g.value ->> 'first_seq'
WHERE s.fence = g.value ->> 'fence' AND s.state = g.value ->> 'state' AND s.worker IS :worker
-- then: once a fence: what a repeated statement wrote already is left out, and so not counted;
-- a failed attempt of a stopping job ends cancelled, its error kept
INSERT INTO named
SELECT h.job_id, x.value ->> 'seq', h.first_seq, h.fence,
  CASE WHEN x.value ->> 'status' = 'retrying' AND j.stopping IS NOT NULL THEN 'cancelled' ELSE x.value ->> 'status' END,
  CASE WHEN x.value ->> 'status' = 'dead' THEN x.value ->> 'reason' END,
  x.value ->> 'attempts', x.value ->> 'max_attempts', x.value ->> 'failed',
  clock_timestamp() - (x.value ->> 'started_ago'), clock_timestamp() - (x.value ->> 'finished_ago'),
  CASE WHEN x.value ->> 'status' = 'retrying' AND j.stopping IS NULL THEN n.now + (x.value ->> 'wait') END,
  x.value ->> 'error_code', x.value ->> 'error', x.value ->> 'fingerprint', x.value ->> 'result'
FROM (SELECT clock_timestamp() AS now LIMIT 1) n CROSS JOIN json_each(:items) x
CROSS JOIN held h ON h.job_id = x.value ->> 'job_id' AND h.first_seq = x.value ->> 'first_seq'
JOIN jobs j ON j.id = h.job_id
WHERE NOT EXISTS (SELECT 1 FROM outcomes o
  WHERE o.job_id = h.job_id AND o.seq = x.value ->> 'seq' AND o.fence >= h.fence)
-- then
INSERT INTO outcomes (job_id, seq, status, reason, attempts, max_attempts, fence, started_at, finished_at,
  next_attempt_at, error_code, error, fingerprint, result)
SELECT job_id, seq, status, reason, attempts, max_attempts, fence, started_at, finished_at, next_attempt_at, error_code,
  error, fingerprint, result FROM named WHERE true
ON CONFLICT (job_id, seq) DO UPDATE SET status = excluded.status, reason = excluded.reason,
  attempts = excluded.attempts, max_attempts = excluded.max_attempts, fence = excluded.fence,
  started_at = excluded.started_at, finished_at = excluded.finished_at, next_attempt_at = excluded.next_attempt_at,
  error_code = excluded.error_code, error = excluded.error, fingerprint = excluded.fingerprint, result = excluded.result
-- then
INSERT INTO attempts (job_id, seq, attempt, worker, fence, started_at, ended_at, code, error)
SELECT job_id, seq, attempts, :worker, fence, started_at, finished_at, error_code, error FROM named WHERE failed
-- then: "every item of this range without a row of its own ended like this here"; the first settle alone has one
INSERT INTO runs (job_id, first_seq, last_seq, status, fence, worker, started_at, finished_at, start_offsets_us,
  durations_us, results)
SELECT job_id, first_seq, last_seq, run_status, fence, :worker, clock_timestamp() - started_ago,
  clock_timestamp() - finished_ago, start_offsets_us, durations_us, results
FROM held WHERE closing AND settles = 0 AND plain > 0
-- then: what each slice adds
UPDATE held SET
  succeeded = CASE WHEN run_status = 'succeeded' THEN plain ELSE 0 END
    + (SELECT count(*) FROM named n WHERE n.job_id = held.job_id AND n.seq BETWEEN held.first_seq AND held.last_seq AND n.status = 'succeeded'),
  skipped = (SELECT count(*) FROM named n WHERE n.job_id = held.job_id AND n.seq BETWEEN held.first_seq AND held.last_seq AND n.status = 'skipped'),
  dead = (SELECT count(*) FROM named n WHERE n.job_id = held.job_id AND n.seq BETWEEN held.first_seq AND held.last_seq AND n.status = 'dead'),
  cancelled = CASE WHEN run_status = 'cancelled' THEN plain ELSE 0 END
    + (SELECT count(*) FROM named n WHERE n.job_id = held.job_id AND n.seq BETWEEN held.first_seq AND held.last_seq AND n.status = 'cancelled')
-- then: what it has left, and when the earliest of it comes due
UPDATE held SET left_open = open - succeeded - skipped - dead - cancelled,
  waiting = (SELECT count(*) FROM outcomes o WHERE o.job_id = held.job_id
    AND o.seq BETWEEN held.first_seq AND held.last_seq AND o.status = 'retrying'),
  due_at = (SELECT min(o.next_attempt_at) FROM outcomes o WHERE o.job_id = held.job_id
    AND o.seq BETWEEN held.first_seq AND held.last_seq AND o.status = 'retrying')
-- then: a slice ends when nothing of it is open, by a flush too
DELETE FROM slices WHERE (job_id, first_seq) IN (SELECT job_id, first_seq FROM held WHERE left_open = 0)
-- then: a flush lowers `open`; a closing settle arms the slice at its earliest next attempt, or at once
UPDATE slices SET open = h.left_open, settles = slices.settles + h.closing, fence = slices.fence + (h.closing OR slices.state <> 1),
  worker = CASE WHEN h.closing THEN NULL ELSE slices.worker END, running_seq = CASE WHEN h.closing THEN NULL ELSE slices.running_seq END,
  claimed_at = CASE WHEN h.closing THEN NULL ELSE slices.claimed_at END,
  state = CASE WHEN NOT h.closing THEN slices.state WHEN h.waiting < h.left_open THEN 0 ELSE 2 END,
  available_at = CASE WHEN NOT h.closing THEN slices.available_at WHEN h.waiting < h.left_open THEN NULL ELSE h.due_at END
FROM held h WHERE slices.job_id = h.job_id AND slices.first_seq = h.first_seq AND h.left_open > 0
  AND (slices.job_id, slices.first_seq) IN (SELECT job_id, first_seq FROM held)
-- then: what each batch gains, and whether that makes its total
INSERT INTO added
SELECT b.job_id, b.number, h.succeeded, h.skipped, h.dead, h.cancelled,
  b.total = b.succeeded + b.skipped + b.dead + b.cancelled + h.succeeded + h.skipped + h.dead + h.cancelled
FROM (SELECT job_id, batch, sum(succeeded) AS succeeded, sum(skipped) AS skipped, sum(dead) AS dead,
        sum(cancelled) AS cancelled FROM held GROUP BY job_id, batch
      HAVING sum(succeeded + skipped + dead + cancelled) > 0) h
CROSS JOIN batches b ON b.job_id = h.job_id AND b.number = h.batch
-- then
UPDATE batches SET succeeded = batches.succeeded + a.succeeded, skipped = batches.skipped + a.skipped,
  dead = batches.dead + a.dead, cancelled = batches.cancelled + a.cancelled,
  completed_at = CASE WHEN a.closes THEN clock_timestamp() END
FROM added a WHERE batches.job_id = a.job_id AND batches.number = a.batch
  AND (batches.job_id, batches.number) IN (SELECT job_id, batch FROM added)
-- then: the sealed job whose last batch closed ends
UPDATE jobs SET batches_open = batches_open - c.batches, succeeded = jobs.succeeded + c.succeeded,
  skipped = jobs.skipped + c.skipped, dead = jobs.dead + c.dead, cancelled = jobs.cancelled + c.cancelled,
  ended_at = CASE WHEN sealed_at IS NOT NULL AND batches_open = c.batches THEN max(clock_timestamp(), created_at) END
FROM (SELECT a.job_id, count(*) AS batches, sum(b.succeeded) AS succeeded, sum(b.skipped) AS skipped, sum(b.dead) AS dead,
        sum(b.cancelled) AS cancelled
      FROM added a CROSS JOIN batches b ON b.job_id = a.job_id AND b.number = a.batch WHERE a.closes GROUP BY a.job_id) c
WHERE jobs.id = c.job_id
-- then
INSERT INTO events (job_id, round, status, created_at)
SELECT id, round, status, clock_timestamp() FROM jobs
WHERE ended_at IS NOT NULL AND id IN (SELECT job_id FROM added WHERE closes)
-- then
SELECT h.job_id, h.first_seq, j.ended_at IS NOT NULL AND j.id IN (SELECT job_id FROM added WHERE closes) AS job_ended,
  CASE WHEN h.left_open > 0 THEN h.due_at END AS due_at
FROM held h JOIN jobs j ON j.id = h.job_id
