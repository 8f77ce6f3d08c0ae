-- Dead letters that a cron may give another attempt: out of attempts for a while, not purged, their key still theirs, in
-- a job that nobody stopped. Never what failed for good or crashed its worker.
SELECT o.job_id, o.seq FROM outcomes o JOIN jobs j ON j.id = o.job_id JOIN items i ON i.job_id = o.job_id AND i.seq = o.seq
JOIN idempotency_keys k ON k.job_type_id = j.job_type_id AND k.key = i.idempotency_key AND k.job_id = o.job_id AND k.seq = o.seq
WHERE o.status = 'dead' AND o.reason = 'exhausted' AND o.purged_at IS NULL AND o.attempts < :below
  AND o.finished_at + :age < clock_timestamp() AND j.stopping IS NULL AND j.paused_at IS NULL AND j.pruned_at IS NULL
ORDER BY o.job_id, o.seq LIMIT :limit
