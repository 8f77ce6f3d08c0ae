SELECT * FROM batch_jobs WHERE status = :status AND id < :before ORDER BY id DESC LIMIT :limit
