SELECT * FROM batch_jobs WHERE id < :before ORDER BY id DESC LIMIT :limit
