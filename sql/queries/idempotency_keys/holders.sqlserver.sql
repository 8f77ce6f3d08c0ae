-- Who holds these keys (hexadecimal in the list: bytes that no collation touches), one index probe each.
SELECT k.[key], k.job_id, k.seq, k.payload_hash
FROM OPENJSON(:keys) WITH ([key] varchar(1024) '$') u
JOIN idempotency_keys k ON k.job_type_id = :job_type_id AND k.[key] = CONVERT(varbinary(512), u.[key], 2)
OPTION (LOOP JOIN, FORCE ORDER)
