-- Due retries become ready, whatever their job's state: they leave the time index and wait in their own job.
DECLARE @due TABLE (job_id bigint);
UPDATE s SET state = 0, available_at = NULL
OUTPUT inserted.job_id INTO @due
FROM (SELECT TOP (:limit) c.job_id, c.first_seq FROM slices c WITH (UPDLOCK, READPAST, ROWLOCK, READCOMMITTEDLOCK)
      WHERE c.state = 2 AND c.available_at <= SYSUTCDATETIME() ORDER BY c.available_at) d
JOIN slices s WITH (ROWLOCK) ON s.job_id = d.job_id AND s.first_seq = d.first_seq
WHERE s.state = 2 OPTION (LOOP JOIN, FORCE ORDER, MAXDOP 1);
-- then
SELECT job_id FROM @due
