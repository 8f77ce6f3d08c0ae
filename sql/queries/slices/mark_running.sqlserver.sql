-- Name the item of a suspect slice that starts now, so that a crash names it and only it.
DECLARE @marked TABLE (first_seq bigint);
UPDATE slices SET running_seq = :seq
OUTPUT inserted.first_seq INTO @marked
WHERE job_id = :job_id AND first_seq = :first_seq AND fence = :fence AND worker = :worker AND state = 1;
-- then
SELECT first_seq FROM @marked
