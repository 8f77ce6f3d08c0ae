-- Take the keys that are free, sorted by key; returns the seqs that took one. Duplicates are found as a set; the range
-- that a free key would stand in (in the order of @given, which is that of the key) is held, so that a rival waits for the end of this transaction and then finds it.
DECLARE @given TABLE ([key] varbinary(512) PRIMARY KEY, seq bigint, payload_hash bigint);
DECLARE @taken TABLE (seq bigint);
INSERT INTO @given ([key], seq, payload_hash)
SELECT CONVERT(varbinary(512), u.[key], 2), u.seq, u.payload_hash
FROM OPENJSON(:keys) WITH ([key] varchar(1024), seq bigint, payload_hash bigint) u;
INSERT INTO idempotency_keys (job_id, seq, payload_hash, job_type_id, [key])
OUTPUT inserted.seq INTO @taken
SELECT :job_id, u.seq, u.payload_hash, :job_type_id, u.[key] FROM @given u
WHERE NOT EXISTS (
  SELECT 1 FROM idempotency_keys k WITH (UPDLOCK, SERIALIZABLE, ROWLOCK)
  WHERE k.job_type_id = :job_type_id AND k.[key] = u.[key])
OPTION (LOOP JOIN, MAXDOP 1);
-- then
SELECT seq FROM @taken
