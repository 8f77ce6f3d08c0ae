SELECT v.*, clock_timestamp() AS now_at FROM job_counts v WHERE id = :job_id
