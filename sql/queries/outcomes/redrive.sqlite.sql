-- Fresh attempts for dead items that still hold their key.
UPDATE outcomes SET status = 'retrying', reason = NULL, next_attempt_at = clock_timestamp(), max_attempts = attempts + :granted
WHERE job_id = :job_id AND seq IN (SELECT value FROM json_each(:seqs)) AND status = 'dead' AND purged_at IS NULL AND EXISTS (
  SELECT 1 FROM items i JOIN jobs j ON j.id = i.job_id
  JOIN idempotency_keys k ON k.job_type_id = j.job_type_id AND k.key = i.idempotency_key AND k.job_id = i.job_id AND k.seq = i.seq
  WHERE i.job_id = outcomes.job_id AND i.seq = outcomes.seq)
RETURNING seq
