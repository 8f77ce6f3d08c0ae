-- Name the item of a suspect slice that starts now, so that a crash names it and only it.
UPDATE slices SET running_seq = :seq
WHERE job_id = :job_id AND first_seq = :first_seq AND fence = :fence AND worker = :worker AND state = 1
RETURNING first_seq
