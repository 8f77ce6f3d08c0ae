-- Move keys from their dead or cancelled holders to new lines, each guarded by the holder that was seen under the lock
-- of its batch; returns the seqs that took one.
DECLARE @given TABLE ([key] varbinary(512) PRIMARY KEY, seq bigint, payload_hash bigint, holder_job_id bigint, holder_seq bigint);
DECLARE @taken TABLE (seq bigint);
INSERT INTO @given ([key], seq, payload_hash, holder_job_id, holder_seq)
SELECT CONVERT(varbinary(512), t.[key], 2), t.seq, t.payload_hash, t.holder_job_id, t.holder_seq
FROM OPENJSON(:takes)
  WITH ([key] varchar(1024), seq bigint, payload_hash bigint, holder_job_id bigint, holder_seq bigint) t;
UPDATE k SET job_id = :job_id, seq = u.seq, payload_hash = u.payload_hash
OUTPUT inserted.seq INTO @taken
FROM idempotency_keys k WITH (ROWLOCK), @given u
WHERE k.job_type_id = :job_type_id AND k.[key] = u.[key]
  AND k.job_id = u.holder_job_id AND k.seq = u.holder_seq;
-- then
SELECT seq FROM @taken
