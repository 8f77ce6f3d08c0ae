-- Dead letters are purged: row, key and counts stay, the payload goes (items/empty), and they cannot be redriven.
DECLARE @purged TABLE (seq bigint);
UPDATE o SET purged_at = SYSUTCDATETIME(), result = NULL
OUTPUT inserted.seq INTO @purged
FROM OPENJSON(:seqs) WITH (seq bigint '$') u JOIN outcomes o WITH (ROWLOCK) ON o.job_id = :job_id AND o.seq = u.seq
WHERE o.status = 'dead' AND o.purged_at IS NULL;
-- then
SELECT seq FROM @purged
