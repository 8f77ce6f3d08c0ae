-- A redriven item is carried by the slice that covers it: a waiting one is ready at once, a leased one is re-armed later.
DECLARE @carried TABLE (state smallint);
UPDATE slices SET [open] = [open] + :count, state = CASE WHEN state = 2 THEN 0 ELSE state END, available_at = NULL
OUTPUT inserted.state INTO @carried
WHERE job_id = :job_id AND first_seq = :first_seq;
-- then
SELECT state FROM @carried
