-- Move keys from their dead or cancelled holders to new lines, each guarded by the holder that was seen.
UPDATE idempotency_keys SET job_id = :job_id, seq = u.value ->> 'seq', payload_hash = u.value ->> 'payload_hash'
FROM json_each(:takes) u
WHERE idempotency_keys.job_type_id = :job_type_id AND idempotency_keys.key = u.value ->> 'key'
  AND idempotency_keys.job_id = u.value ->> 'holder_job_id' AND idempotency_keys.seq = u.value ->> 'holder_seq'
RETURNING seq
