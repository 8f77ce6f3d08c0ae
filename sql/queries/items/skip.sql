-- The seed's skip and take inside one batch: at most chunk_size rows are passed over.
SELECT * FROM batch_items WHERE job_id = :job_id AND seq BETWEEN :first_seq AND :last_seq ORDER BY seq LIMIT :limit OFFSET :skip
