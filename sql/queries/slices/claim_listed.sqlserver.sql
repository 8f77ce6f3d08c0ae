-- claim over given jobs: of a shortlist read at most 250 ms ago (without a room), and those under a limit, whose rows
-- the same transaction has locked (with the room that it has counted since). :jobs in order, each with its floor (a hint).
DECLARE @most bigint = CASE WHEN :limit > 500 THEN 500 ELSE :limit END;
DECLARE @heads TABLE (id bigint PRIMARY KEY, priority int, rank_base bigint, floor bigint, room bigint);
DECLARE @candidates TABLE (place int PRIMARY KEY, job_id bigint, first_seq bigint, fence int);
DECLARE @mine TABLE (job_id bigint, first_seq bigint, last_seq bigint, ordinal bigint, fence int, settles int, lapses int,
  PRIMARY KEY (job_id, first_seq));
-- then: status is checked here, and that what has no room is under no limit
INSERT INTO @heads (id, priority, rank_base, floor, room)
SELECT j.id, j.priority, j.rank_base, f.floor, COALESCE(f.room, @most * 4 + 40)
FROM OPENJSON(:jobs) WITH (job_id bigint, floor bigint, room int) f JOIN jobs j ON j.id = f.job_id
JOIN OPENJSON(:types) WITH (id int '$') t ON t.id = j.job_type_id
WHERE j.ended_at IS NULL AND j.started_at IS NOT NULL AND j.paused_at IS NULL AND j.stopping IS NULL
  AND (f.room > 0 OR (f.room IS NULL AND j.max_concurrency IS NULL AND j.rate IS NULL))
  AND NOT EXISTS (SELECT 1 FROM job_types k WHERE k.id = j.job_type_id AND (k.paused_at IS NOT NULL
    OR (f.room IS NULL AND (k.max_concurrency IS NOT NULL OR k.rate IS NOT NULL))))
  AND EXISTS (SELECT 1 FROM workers w WHERE w.incarnation = :worker AND w.lease_until > SYSUTCDATETIME());
-- then: their ready slices; more than :limit, since others may hold some
INSERT INTO @candidates (place, job_id, first_seq, fence)
SELECT TOP (@most * 4 + 40) ROW_NUMBER() OVER (ORDER BY h.priority DESC, h.rank_base + c.ordinal, h.id), h.id, c.first_seq, c.fence
FROM @heads h CROSS APPLY (
  SELECT TOP (CASE WHEN h.room < @most * 4 + 40 THEN h.room ELSE @most * 4 + 40 END) s.first_seq, s.ordinal, s.fence FROM slices s WITH (READPAST, READCOMMITTEDLOCK)
  WHERE s.job_id = h.id AND s.state = 0 AND s.ordinal >= h.floor ORDER BY s.ordinal) c
ORDER BY h.priority DESC, h.rank_base + c.ordinal, h.id;
-- then: the first :limit that nobody holds. Nested loops in the order of `place`, which needs no sort: no more are locked
-- than are taken. The fence must be the one that was read before.
UPDATE s SET state = 1, fence = s.fence + 1, worker = :worker, claimed_at = SYSUTCDATETIME()
OUTPUT inserted.job_id, inserted.first_seq, inserted.last_seq, inserted.ordinal, inserted.fence, inserted.settles, inserted.lapses
  INTO @mine
FROM (SELECT TOP (@most) x.job_id, x.first_seq, x.fence
      FROM @candidates c JOIN slices x WITH (UPDLOCK, READPAST, ROWLOCK, READCOMMITTEDLOCK)
        ON x.job_id = c.job_id AND x.first_seq = c.first_seq
      WHERE x.state = 0 AND x.fence = c.fence ORDER BY c.place) l
JOIN slices s WITH (ROWLOCK) ON s.job_id = l.job_id AND s.first_seq = l.first_seq
WHERE s.state = 0 AND s.fence = l.fence OPTION (LOOP JOIN, FORCE ORDER, MAXDOP 1);
-- then: read after the commit, under the lease. An item of the range with a row of its own is left out where that is
-- final or not due; due ones are retries; after a settle only items with a row of their own are left. Payloads and keys
-- are joined as hexadecimal, so that no collation touches their bytes.
SELECT m.job_id, m.first_seq, m.last_seq, m.ordinal, m.fence, m.settles, j.job_type_id,
  j.max_concurrency, t.max_concurrency AS type_max_concurrency, j.rate, t.rate AS type_rate,
  CASE WHEN m.lapses > 0 AND EXISTS (  -- suspect: a claim of it ended with a worker that was not seen again
    SELECT 1 FROM lapses l WHERE l.job_id = m.job_id AND l.first_seq = m.first_seq AND l.kind = 'lapsed' AND NOT EXISTS (
      SELECT 1 FROM workers w WHERE w.incarnation = l.worker AND (w.seen_at > l.lapsed_at OR w.seen_at >= w.lease_until)))
    THEN 1 ELSE 0 END AS suspect,
  r.retry_seqs, r.retry_attempts, r.retry_max_attempts, p.seqs, p.keys, p.body
FROM @mine m JOIN jobs j ON j.id = m.job_id JOIN job_types t ON t.id = j.job_type_id
OUTER APPLY (
  SELECT '[' + STRING_AGG(CAST(o.seq AS varchar(max)), ',') WITHIN GROUP (ORDER BY o.seq) + ']' AS retry_seqs,
    '[' + STRING_AGG(CAST(o.attempts AS varchar(max)), ',') WITHIN GROUP (ORDER BY o.seq) + ']' AS retry_attempts,
    '[' + STRING_AGG(CAST(o.max_attempts AS varchar(max)), ',') WITHIN GROUP (ORDER BY o.seq) + ']' AS retry_max_attempts
  FROM outcomes o WHERE o.job_id = m.job_id AND o.seq BETWEEN m.first_seq AND m.last_seq
    AND o.status = 'retrying' AND o.next_attempt_at <= SYSUTCDATETIME()) r
OUTER APPLY (
  SELECT '[' + STRING_AGG(CAST(i.seq AS varchar(max)), ',') WITHIN GROUP (ORDER BY i.seq) + ']' AS seqs,
    STRING_AGG(CONVERT(varchar(max), i.idempotency_key, 2), ',') WITHIN GROUP (ORDER BY i.seq) AS keys,
    CONVERT(varbinary(max), CAST('5B' + STRING_AGG(CONVERT(varchar(max), i.payload, 2), '2C') WITHIN GROUP (ORDER BY i.seq) + '5D'
      AS varchar(max)), 2) AS body
  FROM items i LEFT JOIN outcomes o ON o.job_id = i.job_id AND o.seq = i.seq
  WHERE i.job_id = m.job_id AND i.seq BETWEEN m.first_seq AND m.last_seq
    AND ((o.seq IS NULL AND m.settles = 0) OR (o.status = 'retrying' AND o.next_attempt_at <= SYSUTCDATETIME()))) p
ORDER BY j.priority DESC, j.rank_base + m.ordinal
