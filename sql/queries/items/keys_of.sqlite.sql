-- The keys of some items of any jobs.
SELECT i.job_id, i.seq, i.idempotency_key FROM json_each(:items) u
CROSS JOIN items i WHERE i.job_id = u.value ->> 'job_id' AND i.seq = u.value ->> 'seq'
