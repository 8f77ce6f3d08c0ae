UPDATE items SET payload = '' WHERE job_id = :job_id AND seq = ANY (:seqs::bigint[]) RETURNING seq
