-- Fresh attempts for dead items that still hold their key; run after the locks, so that it sees what they waited for.
DECLARE @redriven TABLE (seq bigint);
UPDATE o SET status = 'retrying', reason = NULL, next_attempt_at = SYSUTCDATETIME(), max_attempts = o.attempts + :granted
OUTPUT inserted.seq INTO @redriven
FROM outcomes o WITH (ROWLOCK), OPENJSON(:seqs) WITH (seq bigint '$') u, items i, jobs j
WHERE o.job_id = :job_id AND o.seq = u.seq AND i.job_id = o.job_id AND i.seq = o.seq AND j.id = i.job_id
  AND o.status = 'dead' AND o.purged_at IS NULL AND EXISTS (
  SELECT 1 FROM idempotency_keys k
  WHERE k.job_type_id = j.job_type_id AND k.[key] = i.idempotency_key AND k.job_id = o.job_id AND k.seq = o.seq);
-- then
SELECT seq FROM @redriven
