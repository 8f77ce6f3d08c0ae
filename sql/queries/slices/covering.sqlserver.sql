-- Lock, in key order, the slices of a job that cover one of :seqs: one index probe a seq; the slices stand in a table in
-- the order of their key, and nested loops in that order are asked for.
DECLARE @found TABLE (first_seq bigint PRIMARY KEY);
INSERT INTO @found (first_seq)
SELECT DISTINCT c.first_seq FROM OPENJSON(:seqs) WITH (seq bigint '$') q
CROSS APPLY (SELECT TOP (1) d.first_seq, d.last_seq FROM slices d WHERE d.job_id = :job_id AND d.first_seq <= q.seq
  ORDER BY d.first_seq DESC) c
WHERE c.last_seq >= q.seq;
-- then
SELECT s.first_seq, s.last_seq, s.batch, s.state, s.fence, s.[open]
FROM @found f JOIN slices s WITH (UPDLOCK, ROWLOCK, READCOMMITTEDLOCK) ON s.job_id = :job_id AND s.first_seq = f.first_seq
ORDER BY s.first_seq OPTION (LOOP JOIN, FORCE ORDER, MAXDOP 1)
