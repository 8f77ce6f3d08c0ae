-- Items in input order, without their payloads, and who holds the key now where that is another; keyset by seq.
-- OFFSET 0 keeps the planner from merging the view's joins from their beginning. The batches tell where a page ends at
-- the latest: without statistics the planner may gather all that is left of a job before it sorts and cuts.
SELECT v.seq, v.id, v.source_row_id, v.idempotency_key, v.status, v.attempts, v.reason, v.error_code, v.last_error, v.skip_reason,
  v.locked_by, v.locked_until, v.next_attempt_at, v.result, v.started_at, v.finished_at, v.created_at, v.purged_at,
  k.job_id AS replaced_by_job_id, k.seq AS replaced_by_seq
FROM (SELECT i.seq FROM items i
      WHERE i.job_id = :job_id AND i.seq > :after AND i.seq <= least(:last_seq, (
        SELECT min(c.last_seq) FROM (
          SELECT b.last_seq, sum(b.total) OVER (ORDER BY b.first_seq) AS items FROM (
            SELECT a.first_seq, a.last_seq, a.total FROM batches a
            WHERE a.job_id = :job_id AND a.first_seq > :after ORDER BY a.first_seq LIMIT :limit) b) c
        WHERE c.items >= :limit))
      ORDER BY i.seq LIMIT :limit) q
CROSS JOIN LATERAL (SELECT * FROM batch_items b WHERE b.job_id = :job_id AND b.seq = q.seq OFFSET 0) v
LEFT JOIN LATERAL (SELECT c.job_id, c.seq FROM idempotency_keys c
  WHERE c.job_type_id = (SELECT j.job_type_id FROM jobs j WHERE j.id = :job_id) AND c.key = v.idempotency_key
    AND NOT (c.job_id = v.job_id AND c.seq = v.seq) OFFSET 0) k ON true
ORDER BY q.seq
