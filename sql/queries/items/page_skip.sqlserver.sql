-- The seed's skip and take inside one batch, without payloads: at most chunk_size rows are passed over.
SELECT v.seq, v.id, v.source_row_id, v.idempotency_key, v.status, v.attempts, v.reason, v.error_code, v.last_error, v.skip_reason,
  v.locked_by, v.locked_until, v.next_attempt_at, v.result, v.started_at, v.finished_at, v.created_at, v.purged_at,
  k.job_id AS replaced_by_job_id, k.seq AS replaced_by_seq
FROM batch_items v
LEFT JOIN jobs j ON j.id = v.job_id
LEFT JOIN idempotency_keys k ON k.job_type_id = j.job_type_id AND k.[key] = v.idempotency_key AND NOT (k.job_id = v.job_id AND k.seq = v.seq)
WHERE v.job_id = :job_id AND v.seq BETWEEN :first_seq AND :last_seq ORDER BY v.seq OFFSET :skip ROWS FETCH NEXT :limit ROWS ONLY
