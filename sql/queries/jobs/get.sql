SELECT * FROM batch_jobs WHERE id = :job_id
