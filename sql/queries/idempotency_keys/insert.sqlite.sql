-- Take the keys that are free; returns the seqs that took one.
INSERT INTO idempotency_keys (job_id, seq, payload_hash, job_type_id, key)
SELECT :job_id, u.value ->> 'seq', u.value ->> 'payload_hash', :job_type_id, u.value ->> 'key'
FROM json_each(:keys) u WHERE true
ON CONFLICT DO NOTHING RETURNING seq
