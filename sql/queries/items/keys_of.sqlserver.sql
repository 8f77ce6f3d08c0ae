-- The keys of some items of any jobs.
SELECT i.job_id, i.seq, i.idempotency_key FROM OPENJSON(:items) WITH (job_id bigint, seq bigint) u
JOIN items i ON i.job_id = u.job_id AND i.seq = u.seq
