-- The keys of some items of any jobs.
SELECT i.job_id, i.seq, i.idempotency_key FROM unnest(:items.job_id::bigint[], :items.seq::bigint[]) u (job_id, seq)
CROSS JOIN LATERAL (SELECT c.job_id, c.seq, c.idempotency_key FROM items c WHERE c.job_id = u.job_id AND c.seq = u.seq) i
