SELECT v.*, clock_timestamp() AS now_at FROM batch_jobs v WHERE id = :job_id
