-- Items of a range in input order; keyset by seq.
SELECT * FROM batch_items WHERE job_id = :job_id AND seq > :after AND seq <= :last_seq ORDER BY seq LIMIT :limit
