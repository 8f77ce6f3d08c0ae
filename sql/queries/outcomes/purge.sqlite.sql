-- Dead letters are purged: row, key and counts stay, the payload goes (items/empty), and they cannot be redriven.
UPDATE outcomes SET purged_at = clock_timestamp(), result = NULL
WHERE job_id = :job_id AND seq IN (SELECT value FROM json_each(:seqs)) AND status = 'dead' AND purged_at IS NULL RETURNING seq
