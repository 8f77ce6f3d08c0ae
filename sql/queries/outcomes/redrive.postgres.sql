-- Fresh attempts for dead items that still hold their key; run after the locks, so that it sees what they waited for.
UPDATE outcomes o SET status = 'retrying', reason = NULL, next_attempt_at = clock_timestamp(), max_attempts = o.attempts + :granted
FROM items i JOIN jobs j ON j.id = i.job_id
WHERE o.job_id = :job_id AND o.seq = ANY (:seqs::bigint[]) AND o.status = 'dead' AND o.purged_at IS NULL
  AND i.job_id = o.job_id AND i.seq = o.seq AND EXISTS (
    SELECT FROM idempotency_keys k WHERE k.job_type_id = j.job_type_id AND k.key = i.idempotency_key
      AND k.job_id = o.job_id AND k.seq = o.seq)
RETURNING o.seq
