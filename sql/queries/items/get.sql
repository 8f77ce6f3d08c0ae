-- One item, and who holds its key now where that is another.
SELECT v.*, j.job_type_id, k.job_id AS replaced_by_job_id, k.seq AS replaced_by_seq
FROM batch_items v JOIN jobs j ON j.id = v.job_id
LEFT JOIN idempotency_keys k ON k.job_type_id = j.job_type_id AND k.key = v.idempotency_key
  AND NOT (k.job_id = v.job_id AND k.seq = v.seq)
WHERE v.job_id = :job_id AND v.seq = :seq
