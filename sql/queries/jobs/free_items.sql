-- What a stop cancels: open items that no worker holds.
SELECT coalesce(sum(open), 0) AS items FROM slices WHERE job_id = :job_id AND state <> 1
