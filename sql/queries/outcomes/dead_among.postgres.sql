-- How many of these are dead and not purged: right after a redrive, in its transaction, those whose key another holds.
SELECT count(*) AS items FROM outcomes
WHERE job_id = :job_id AND seq = ANY (:seqs::bigint[]) AND status = 'dead' AND purged_at IS NULL
