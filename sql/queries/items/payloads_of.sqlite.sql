-- The payloads of some items of a job.
SELECT seq, payload FROM items WHERE job_id = :job_id AND seq IN (SELECT value FROM json_each(:seqs)) ORDER BY seq
