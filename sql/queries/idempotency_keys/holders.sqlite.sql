-- Who holds these keys: one index probe each.
SELECT k.key, k.job_id, k.seq, k.payload_hash
FROM json_each(:keys) u CROSS JOIN idempotency_keys k
WHERE k.job_type_id = :job_type_id AND k.key = u.value
