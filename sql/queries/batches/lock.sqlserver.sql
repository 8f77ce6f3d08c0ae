-- Lock batches in key order and read them as they are now: the keys stand in a table in their order, and nested loops
-- in that order are asked for.
DECLARE @given TABLE (job_id bigint, number int, PRIMARY KEY (job_id, number));
INSERT INTO @given (job_id, number)
SELECT DISTINCT u.job_id, u.number FROM OPENJSON(:batches) WITH (job_id bigint, number int) u;
-- then
SELECT b.job_id, b.number, b.first_seq, b.last_seq, b.total, b.succeeded, b.skipped, b.dead, b.cancelled, b.completed_at
FROM @given u JOIN batches b WITH (UPDLOCK, ROWLOCK, READCOMMITTEDLOCK) ON b.job_id = u.job_id AND b.number = u.number
ORDER BY b.job_id, b.number OPTION (LOOP JOIN, FORCE ORDER, MAXDOP 1)
