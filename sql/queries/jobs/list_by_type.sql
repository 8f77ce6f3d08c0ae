SELECT v.*, clock_timestamp() AS now_at FROM job_counts v WHERE job_type_id = :job_type_id AND id < :before ORDER BY id DESC LIMIT :limit
