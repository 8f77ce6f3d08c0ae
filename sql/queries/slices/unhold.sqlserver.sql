-- Held slices of strict jobs become ready once their job is sealed: a standing duty, so that no crash strands them.
DECLARE @sealed TABLE (job_id bigint);
UPDATE s SET state = 0
OUTPUT inserted.job_id INTO @sealed
FROM (SELECT TOP (:limit) c.job_id, c.first_seq FROM jobs j
      JOIN slices c WITH (UPDLOCK, READPAST, ROWLOCK, READCOMMITTEDLOCK) ON c.job_id = j.id AND c.state = 3
      WHERE j.sealed_at IS NOT NULL AND j.stopping IS NULL AND j.ended_at IS NULL ORDER BY c.job_id, c.first_seq) d
JOIN slices s WITH (ROWLOCK) ON s.job_id = d.job_id AND s.first_seq = d.first_seq
WHERE s.state = 3 OPTION (LOOP JOIN, FORCE ORDER, MAXDOP 1);
-- then
SELECT job_id FROM @sealed
