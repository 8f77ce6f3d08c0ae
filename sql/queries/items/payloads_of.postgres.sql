-- The payloads of some items of a job.
SELECT seq, payload FROM items WHERE job_id = :job_id AND seq = ANY (:seqs::bigint[]) ORDER BY seq
