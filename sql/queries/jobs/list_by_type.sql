SELECT * FROM batch_jobs WHERE job_type_id = :job_type_id AND id < :before ORDER BY id DESC LIMIT :limit
