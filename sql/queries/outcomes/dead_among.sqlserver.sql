-- How many of these are dead and not purged: right after a redrive, in its transaction, those whose key another holds.
SELECT COUNT(*) AS items FROM OPENJSON(:seqs) WITH (seq bigint '$') u
JOIN outcomes o ON o.job_id = :job_id AND o.seq = u.seq WHERE o.status = 'dead' AND o.purged_at IS NULL
