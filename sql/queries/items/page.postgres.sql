-- Items in input order, without their payloads, and who holds the key now where that is another; keyset by seq.
-- OFFSET 0 keeps the planner from merging the view's joins from their beginning.
SELECT v.seq, v.id, v.source_row_id, v.idempotency_key, v.status, v.attempts, v.reason, v.error_code, v.last_error, v.skip_reason,
  v.locked_by, v.locked_until, v.next_attempt_at, v.result, v.started_at, v.finished_at, v.created_at, v.purged_at,
  k.job_id AS replaced_by_job_id, k.seq AS replaced_by_seq
FROM (SELECT i.seq FROM items i WHERE i.job_id = :job_id AND i.seq > :after AND i.seq <= :last_seq ORDER BY i.seq LIMIT :limit) q
CROSS JOIN LATERAL (SELECT * FROM batch_items b WHERE b.job_id = :job_id AND b.seq = q.seq OFFSET 0) v
LEFT JOIN LATERAL (SELECT c.job_id, c.seq FROM idempotency_keys c
  WHERE c.job_type_id = (SELECT j.job_type_id FROM jobs j WHERE j.id = :job_id) AND c.key = v.idempotency_key
    AND NOT (c.job_id = v.job_id AND c.seq = v.seq) OFFSET 0) k ON true
ORDER BY q.seq
