-- The highest id that is visible now: a trigger takes rows up to it; what commits later waits for the next.
SELECT max(id) AS id FROM pending_work WHERE job_type = :job_type
