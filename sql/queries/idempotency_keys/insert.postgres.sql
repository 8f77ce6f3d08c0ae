-- Take the keys that are free, sorted by key (unsorted keys deadlock); returns the seqs that took one.
INSERT INTO idempotency_keys (job_id, seq, payload_hash, job_type_id, key)
SELECT :job_id, u.seq, u.payload_hash, :job_type_id, u.key
FROM unnest(:keys.seq::bigint[], :keys.payload_hash::bigint[], :keys.key::text[]) AS u (seq, payload_hash, key)
ON CONFLICT DO NOTHING RETURNING seq
