SELECT v.*, clock_timestamp() AS now_at FROM job_counts v WHERE id < :before ORDER BY id DESC LIMIT :limit
