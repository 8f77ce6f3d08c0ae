-- The payloads of some items of a job.
SELECT i.seq, i.payload FROM OPENJSON(:seqs) WITH (seq bigint '$') u JOIN items i ON i.job_id = :job_id AND i.seq = u.seq
ORDER BY i.seq
