-- Write the outcomes of several slices; a slice whose guard fails loses only its own. Returns those that were held.
-- Serves a worker (its incarnation, state 1), the sweep of a stopping job and the burial of crashed items (no worker,
-- the state and fence that they read). One batch that opens and ends its own transaction, so that a client that stands
-- still leaves none open; what it returns stands in tables of the batch. Locks in order: slices, batches, jobs, each by
-- key, by nested loops over a table in that order.
-- :slices one a slice · :items one an item that needs a row of its own · *_ago: microseconds since then.
DECLARE @now datetime2(6) = SYSUTCDATETIME();
DECLARE @given TABLE (job_id bigint, first_seq bigint, fence int, state smallint, closing bit, plain int, run_status nvarchar(20),
  started_ago bigint, finished_ago bigint, start_offsets_us nvarchar(max), durations_us nvarchar(max), results nvarchar(max),
  PRIMARY KEY (job_id, first_seq));
DECLARE @held TABLE (job_id bigint, first_seq bigint, last_seq bigint, batch int, [open] int, settles int, fence int,
  succeeded int NOT NULL DEFAULT 0, skipped int NOT NULL DEFAULT 0, dead int NOT NULL DEFAULT 0, cancelled int NOT NULL DEFAULT 0,
  left_open int, waiting int, due_at datetime2(6), PRIMARY KEY (job_id, first_seq));
DECLARE @named TABLE (job_id bigint, seq bigint, first_seq bigint, fence int, status nvarchar(20), reason nvarchar(20),
  attempts int, max_attempts int, failed bit, started_at datetime2(6), finished_at datetime2(6), next_attempt_at datetime2(6),
  error_code nvarchar(200), error nvarchar(max), fingerprint nvarchar(200), result nvarchar(max), PRIMARY KEY (job_id, seq));
DECLARE @sums TABLE (job_id bigint, batch int, succeeded int, skipped int, dead int, cancelled int, PRIMARY KEY (job_id, batch));
DECLARE @batches TABLE (number int);
DECLARE @jobs TABLE (id bigint);
DECLARE @added TABLE (job_id bigint, succeeded int, skipped int, dead int, cancelled int, completed_at datetime2(6));
DECLARE @closed TABLE (job_id bigint PRIMARY KEY, batches int, succeeded bigint, skipped bigint, dead bigint, cancelled bigint);
DECLARE @ended TABLE (job_id bigint PRIMARY KEY, round int, status nvarchar(20), ended_at datetime2(6));
-- then
INSERT INTO @given (job_id, first_seq, fence, state, closing, plain, run_status, started_ago, finished_ago, start_offsets_us,
  durations_us, results)
SELECT g.job_id, g.first_seq, g.fence, g.state, g.closing, g.plain, g.run_status, g.started_ago, g.finished_ago,
  g.start_offsets_us, g.durations_us, g.results
FROM OPENJSON(:slices) WITH (job_id bigint, first_seq bigint, fence int, state smallint, closing bit, plain int,
  run_status nvarchar(20), started_ago bigint, finished_ago bigint, start_offsets_us nvarchar(max),
  durations_us nvarchar(max), results nvarchar(max)) g;
-- then: the guard; all below decides from what it holds alone
INSERT INTO @held (job_id, first_seq, last_seq, batch, [open], settles, fence)
SELECT s.job_id, s.first_seq, s.last_seq, s.batch, s.[open], s.settles, s.fence
FROM @given g JOIN slices s WITH (UPDLOCK, ROWLOCK, READCOMMITTEDLOCK) ON s.job_id = g.job_id AND s.first_seq = g.first_seq
WHERE s.fence = g.fence AND s.state = g.state AND (s.worker = :worker OR (s.worker IS NULL AND :worker IS NULL))
OPTION (LOOP JOIN, FORCE ORDER, MAXDOP 1);
-- then: once a fence: what a repeated statement wrote already is left out, and so not counted; a failed attempt of a
-- stopping job ends cancelled, its error kept; what failed together comes due together
INSERT INTO @named (job_id, seq, first_seq, fence, status, reason, attempts, max_attempts, failed, started_at, finished_at,
  next_attempt_at, error_code, error, fingerprint, result)
SELECT h.job_id, x.seq, h.first_seq, h.fence,
  CASE WHEN x.status = 'retrying' AND j.stopping IS NOT NULL THEN N'cancelled' ELSE x.status END,
  CASE WHEN x.status = 'dead' THEN x.reason END, x.attempts, x.max_attempts, x.failed,
  DATEADD(MICROSECOND, -(x.started_ago % 1000000), DATEADD(SECOND, -(x.started_ago / 1000000), @now)),
  DATEADD(MICROSECOND, -(x.finished_ago % 1000000), DATEADD(SECOND, -(x.finished_ago / 1000000), @now)),
  CASE WHEN x.status = 'retrying' AND j.stopping IS NULL
    THEN DATEADD(MICROSECOND, x.wait % 1000000, DATEADD(SECOND, x.wait / 1000000, @now)) END,
  x.error_code, x.error, x.fingerprint, x.result
FROM OPENJSON(:items) WITH (job_id bigint, first_seq bigint, seq bigint, status nvarchar(20), reason nvarchar(20), attempts int,
  max_attempts int, failed bit, wait bigint, started_ago bigint, finished_ago bigint, error_code nvarchar(200),
  error nvarchar(max), fingerprint nvarchar(200), result nvarchar(max)) x
JOIN @held h ON h.job_id = x.job_id AND h.first_seq = x.first_seq
JOIN jobs j ON j.id = h.job_id
WHERE NOT EXISTS (SELECT 1 FROM outcomes o WHERE o.job_id = h.job_id AND o.seq = x.seq AND o.fence >= h.fence);
-- then
UPDATE o SET status = n.status, reason = n.reason, attempts = n.attempts, max_attempts = n.max_attempts, fence = n.fence,
  started_at = n.started_at, finished_at = n.finished_at, next_attempt_at = n.next_attempt_at, error_code = n.error_code,
  error = n.error, fingerprint = n.fingerprint, result = n.result
FROM @named n JOIN outcomes o WITH (ROWLOCK) ON o.job_id = n.job_id AND o.seq = n.seq OPTION (LOOP JOIN, FORCE ORDER, MAXDOP 1);
INSERT INTO outcomes (job_id, seq, status, reason, attempts, max_attempts, fence, started_at, finished_at,
  next_attempt_at, error_code, error, fingerprint, result)
SELECT n.job_id, n.seq, n.status, n.reason, n.attempts, n.max_attempts, n.fence, n.started_at, n.finished_at, n.next_attempt_at,
  n.error_code, n.error, n.fingerprint, n.result
FROM @named n WHERE NOT EXISTS (SELECT 1 FROM outcomes o WHERE o.job_id = n.job_id AND o.seq = n.seq);
INSERT INTO attempts (job_id, seq, attempt, worker, fence, started_at, ended_at, code, error)
SELECT n.job_id, n.seq, n.attempts, :worker, n.fence, n.started_at, n.finished_at, n.error_code, n.error
FROM @named n WHERE n.failed = 1;
-- then: "every item of this range without a row of its own ended like this here"; the first settle alone has one
INSERT INTO runs (job_id, first_seq, last_seq, status, fence, worker, started_at, finished_at, start_offsets_us,
  durations_us, results)
SELECT h.job_id, h.first_seq, h.last_seq, g.run_status, h.fence, :worker,
  DATEADD(MICROSECOND, -(g.started_ago % 1000000), DATEADD(SECOND, -(g.started_ago / 1000000), @now)),
  DATEADD(MICROSECOND, -(g.finished_ago % 1000000), DATEADD(SECOND, -(g.finished_ago / 1000000), @now)),
  g.start_offsets_us, g.durations_us, g.results
FROM @held h JOIN @given g ON g.job_id = h.job_id AND g.first_seq = h.first_seq
WHERE g.closing = 1 AND h.settles = 0 AND g.plain > 0;
-- then: what each slice adds and has left, and when the earliest of it comes due; a retry that is not seen here makes it
-- ready at once: a redrive may have committed meanwhile
UPDATE h SET
  succeeded = w.succeeded + CASE WHEN g.run_status = 'succeeded' THEN g.plain ELSE 0 END, skipped = w.skipped, dead = w.dead,
  cancelled = w.cancelled + CASE WHEN g.run_status = 'cancelled' THEN g.plain ELSE 0 END,
  left_open = h.[open] - g.plain - w.succeeded - w.skipped - w.dead - w.cancelled, waiting = e.waiting, due_at = e.due_at
FROM @held h JOIN @given g ON g.job_id = h.job_id AND g.first_seq = h.first_seq
CROSS APPLY (
  SELECT COUNT(CASE WHEN n.status = 'succeeded' THEN 1 END) AS succeeded, COUNT(CASE WHEN n.status = 'skipped' THEN 1 END) AS skipped,
    COUNT(CASE WHEN n.status = 'dead' THEN 1 END) AS dead, COUNT(CASE WHEN n.status = 'cancelled' THEN 1 END) AS cancelled
  FROM @named n WHERE n.job_id = h.job_id AND n.seq BETWEEN h.first_seq AND h.last_seq) w
CROSS APPLY (
  SELECT COUNT(*) AS waiting, MIN(o.next_attempt_at) AS due_at FROM outcomes o
  WHERE o.job_id = h.job_id AND o.seq BETWEEN h.first_seq AND h.last_seq AND o.status = 'retrying') e;
-- then: a slice ends when nothing of it is open, by a flush too
DELETE s FROM @held h JOIN slices s WITH (ROWLOCK) ON s.job_id = h.job_id AND s.first_seq = h.first_seq
WHERE h.left_open = 0 OPTION (LOOP JOIN, FORCE ORDER, MAXDOP 1);
-- then: a flush lowers `open`; a closing settle arms the slice at its earliest next attempt, or at once; a free slice (a
-- burial) gets a new fence, so that a claim with an older reading does not take it
UPDATE s SET [open] = h.left_open,
  settles = s.settles + CASE WHEN g.closing = 1 THEN 1 ELSE 0 END,
  fence = s.fence + CASE WHEN g.closing = 1 OR s.state <> 1 THEN 1 ELSE 0 END,
  worker = CASE WHEN g.closing = 1 THEN NULL ELSE s.worker END,
  running_seq = CASE WHEN g.closing = 1 THEN NULL ELSE s.running_seq END,
  claimed_at = CASE WHEN g.closing = 1 THEN NULL ELSE s.claimed_at END,
  state = CASE WHEN g.closing = 0 THEN s.state WHEN h.waiting < h.left_open THEN 0 ELSE 2 END,
  available_at = CASE WHEN g.closing = 0 THEN s.available_at WHEN h.waiting < h.left_open THEN NULL ELSE h.due_at END
FROM @held h JOIN @given g ON g.job_id = h.job_id AND g.first_seq = h.first_seq
JOIN slices s WITH (ROWLOCK) ON s.job_id = h.job_id AND s.first_seq = h.first_seq
WHERE h.left_open > 0 OPTION (LOOP JOIN, FORCE ORDER, MAXDOP 1);
-- then: added to the newest row; the batch whose counters now make its total closes
INSERT INTO @sums (job_id, batch, succeeded, skipped, dead, cancelled)
SELECT h.job_id, h.batch, SUM(h.succeeded), SUM(h.skipped), SUM(h.dead), SUM(h.cancelled) FROM @held h
GROUP BY h.job_id, h.batch HAVING SUM(h.succeeded + h.skipped + h.dead + h.cancelled) > 0;
INSERT INTO @batches (number)
SELECT b.number FROM @sums a JOIN batches b WITH (UPDLOCK, ROWLOCK, READCOMMITTEDLOCK) ON b.job_id = a.job_id AND b.number = a.batch
OPTION (LOOP JOIN, FORCE ORDER, MAXDOP 1);  -- locks alone, in their order
UPDATE b SET succeeded = b.succeeded + a.succeeded, skipped = b.skipped + a.skipped, dead = b.dead + a.dead,
  cancelled = b.cancelled + a.cancelled,
  completed_at = CASE WHEN b.total = b.succeeded + b.skipped + b.dead + b.cancelled
    + a.succeeded + a.skipped + a.dead + a.cancelled THEN @now END
OUTPUT inserted.job_id, inserted.succeeded, inserted.skipped, inserted.dead, inserted.cancelled, inserted.completed_at INTO @added
FROM batches b WITH (ROWLOCK), @sums a WHERE b.job_id = a.job_id AND b.number = a.batch;
-- then: the sealed job whose last batch closed ends
INSERT INTO @closed (job_id, batches, succeeded, skipped, dead, cancelled)
SELECT job_id, COUNT(*), SUM(succeeded), SUM(skipped), SUM(dead), SUM(cancelled) FROM @added
WHERE completed_at IS NOT NULL GROUP BY job_id;
INSERT INTO @jobs (id)
SELECT j.id FROM @closed c JOIN jobs j WITH (UPDLOCK, ROWLOCK, READCOMMITTEDLOCK) ON j.id = c.job_id
OPTION (LOOP JOIN, FORCE ORDER, MAXDOP 1);
UPDATE j SET batches_open = j.batches_open - c.batches, succeeded = j.succeeded + c.succeeded, skipped = j.skipped + c.skipped,
  dead = j.dead + c.dead, cancelled = j.cancelled + c.cancelled,
  ended_at = CASE WHEN j.sealed_at IS NULL OR j.batches_open <> c.batches THEN NULL
    WHEN @now < j.created_at THEN j.created_at ELSE @now END
OUTPUT inserted.id, inserted.round, inserted.status, inserted.ended_at INTO @ended
FROM jobs j WITH (ROWLOCK), @closed c WHERE j.id = c.job_id;
INSERT INTO events (job_id, round, status, created_at)
SELECT job_id, round, status, @now FROM @ended WHERE ended_at IS NOT NULL;
-- then
SELECT h.job_id, h.first_seq, CASE WHEN e.ended_at IS NOT NULL THEN 1 ELSE 0 END AS job_ended,
  CASE WHEN h.left_open > 0 THEN h.due_at END AS due_at
FROM @held h LEFT JOIN @ended e ON e.job_id = h.job_id
