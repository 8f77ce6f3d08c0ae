-- Move keys from their dead or cancelled holders to new lines, each guarded by the holder that was seen. The takes are
-- materialised, so that each key is one search of the primary key.
WITH u (key, seq, payload_hash, holder_job_id, holder_seq) AS MATERIALIZED (
  SELECT t.value ->> 'key', t.value ->> 'seq', t.value ->> 'payload_hash', t.value ->> 'holder_job_id', t.value ->> 'holder_seq'
  FROM json_each(:takes) t)
UPDATE idempotency_keys SET job_id = :job_id, seq = u.seq, payload_hash = u.payload_hash
FROM u
WHERE idempotency_keys.job_type_id = :job_type_id AND idempotency_keys.key = u.key
  AND idempotency_keys.job_id = u.holder_job_id AND idempotency_keys.seq = u.holder_seq
RETURNING seq
