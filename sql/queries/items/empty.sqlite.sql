UPDATE items SET payload = '' WHERE job_id = :job_id AND seq IN (SELECT value FROM json_each(:seqs)) RETURNING seq
