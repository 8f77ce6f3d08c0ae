-- Dead letters that are not purged, by way of their rows, without payloads; keyset by seq.
SELECT v.seq, v.id, v.source_row_id, v.idempotency_key, v.status, v.attempts, v.reason, v.error_code, v.last_error, v.skip_reason,
  v.locked_by, v.locked_until, v.next_attempt_at, v.result, v.started_at, v.finished_at, v.created_at, v.purged_at,
  k.job_id AS replaced_by_job_id, k.seq AS replaced_by_seq
FROM (SELECT o.seq FROM outcomes o
      WHERE o.job_id = :job_id AND o.status = 'dead' AND o.purged_at IS NULL AND o.seq > :after ORDER BY o.seq OFFSET 0 ROWS FETCH NEXT :limit ROWS ONLY) q
JOIN batch_items v ON v.job_id = :job_id AND v.seq = q.seq
LEFT JOIN jobs j ON j.id = v.job_id
LEFT JOIN idempotency_keys k ON k.job_type_id = j.job_type_id AND k.[key] = v.idempotency_key AND NOT (k.job_id = v.job_id AND k.seq = v.seq)
ORDER BY v.seq
