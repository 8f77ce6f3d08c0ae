-- Give claimed slices back, without an attempt. Where an item had started (`started`) a lapses row says so.
DECLARE @given TABLE (job_id bigint, first_seq bigint, fence int, started bit, PRIMARY KEY (job_id, first_seq));
DECLARE @held TABLE (job_id bigint, first_seq bigint, last_seq bigint, fence int, worker nvarchar(100), running_seq bigint,
  claimed_at datetime2(6), started bit, PRIMARY KEY (job_id, first_seq));
DECLARE @freed TABLE (job_id bigint, first_seq bigint);
INSERT INTO @given (job_id, first_seq, fence, started)
SELECT g.job_id, g.first_seq, g.fence, g.started
FROM OPENJSON(:slices) WITH (job_id bigint, first_seq bigint, fence int, started bit) g;
INSERT INTO @held (job_id, first_seq, last_seq, fence, worker, running_seq, claimed_at, started)
SELECT s.job_id, s.first_seq, s.last_seq, s.fence, s.worker, s.running_seq, s.claimed_at, g.started
FROM @given g JOIN slices s WITH (UPDLOCK, ROWLOCK, READCOMMITTEDLOCK) ON s.job_id = g.job_id AND s.first_seq = g.first_seq
WHERE s.fence = g.fence AND s.worker = :worker AND s.state = 1 OPTION (LOOP JOIN, FORCE ORDER, MAXDOP 1);
UPDATE s SET state = 0, worker = NULL, claimed_at = NULL, running_seq = NULL, fence = s.fence + 1
OUTPUT inserted.job_id, inserted.first_seq INTO @freed
FROM @held h JOIN slices s WITH (ROWLOCK) ON s.job_id = h.job_id AND s.first_seq = h.first_seq
WHERE s.state = 1 AND s.fence = h.fence OPTION (LOOP JOIN, FORCE ORDER, MAXDOP 1);
INSERT INTO lapses (job_id, first_seq, fence, last_seq, worker, kind, running_seq, claimed_at, lapsed_at)
SELECT h.job_id, h.first_seq, h.fence, h.last_seq, h.worker, 'released', h.running_seq, h.claimed_at, SYSUTCDATETIME()
FROM @held h JOIN @freed f ON f.job_id = h.job_id AND f.first_seq = h.first_seq WHERE h.started = 1;
-- then
SELECT job_id, first_seq FROM @freed
