SELECT 1 AS there FROM jobs WHERE id = :job_id
