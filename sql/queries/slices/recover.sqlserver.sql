-- Free the slices of workers whose lease ran out, or that are known to be dead (:dead), and put each lapse on record.
-- The fence grows, so that a late settle finds nothing. What is locked by a settle is not taken; it is free next time.
DECLARE @gone TABLE (incarnation nvarchar(100) PRIMARY KEY);
DECLARE @held TABLE (job_id bigint, first_seq bigint, last_seq bigint, fence int, worker nvarchar(100), running_seq bigint,
  claimed_at datetime2(6), PRIMARY KEY (job_id, first_seq));
DECLARE @freed TABLE (job_id bigint, first_seq bigint);
INSERT INTO @gone (incarnation)
SELECT w.incarnation FROM workers w
WHERE w.lease_until < SYSUTCDATETIME()
  OR w.incarnation IN (SELECT d.incarnation FROM OPENJSON(:dead) WITH (incarnation nvarchar(100) '$') d);
INSERT INTO @held (job_id, first_seq, last_seq, fence, worker, running_seq, claimed_at)
SELECT TOP (:limit) c.job_id, c.first_seq, c.last_seq, c.fence, c.worker, c.running_seq, c.claimed_at
FROM slices c WITH (UPDLOCK, READPAST, ROWLOCK, READCOMMITTEDLOCK)
WHERE c.state = 1 AND c.worker IN (SELECT g.incarnation FROM @gone g) ORDER BY c.job_id, c.first_seq;
UPDATE s SET state = 0, worker = NULL, claimed_at = NULL, running_seq = NULL, fence = s.fence + 1, lapses = s.lapses + 1
OUTPUT inserted.job_id, inserted.first_seq INTO @freed
FROM @held h JOIN slices s WITH (ROWLOCK) ON s.job_id = h.job_id AND s.first_seq = h.first_seq
WHERE s.state = 1 AND s.fence = h.fence OPTION (LOOP JOIN, FORCE ORDER, MAXDOP 1);
INSERT INTO lapses (job_id, first_seq, fence, last_seq, worker, kind, running_seq, claimed_at, lapsed_at)
SELECT h.job_id, h.first_seq, h.fence, h.last_seq, h.worker, 'lapsed', h.running_seq, h.claimed_at, SYSUTCDATETIME()
FROM @held h JOIN @freed f ON f.job_id = h.job_id AND f.first_seq = h.first_seq;
-- then
SELECT h.job_id, h.first_seq, h.fence, h.worker, h.running_seq
FROM @held h JOIN @freed f ON f.job_id = h.job_id AND f.first_seq = h.first_seq
