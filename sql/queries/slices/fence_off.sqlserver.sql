-- Shut out claims that began before a stop: free slices that cover one of :seqs get a new fence, in key order. What a
-- claim holds already stays as it is, and is seen as leased in the statement after this one.
DECLARE @found TABLE (first_seq bigint PRIMARY KEY);
INSERT INTO @found (first_seq)
SELECT DISTINCT c.first_seq FROM OPENJSON(:seqs) WITH (seq bigint '$') q
CROSS APPLY (SELECT TOP (1) d.first_seq, d.last_seq FROM slices d WHERE d.job_id = :job_id AND d.first_seq <= q.seq
  ORDER BY d.first_seq DESC) c
WHERE c.last_seq >= q.seq;
-- then
UPDATE s SET fence = s.fence + 1
FROM @found f JOIN slices s WITH (UPDLOCK, ROWLOCK, READCOMMITTEDLOCK) ON s.job_id = :job_id AND s.first_seq = f.first_seq
WHERE s.state <> 1 OPTION (LOOP JOIN, FORCE ORDER, MAXDOP 1)
