-- Items with a row of their own in a status, by way of those rows; keyset by seq.
SELECT v.* FROM (
  SELECT o.seq FROM outcomes o WHERE o.job_id = :job_id AND o.status = :status AND o.seq > :after AND o.seq <= :last_seq
  ORDER BY o.seq LIMIT :limit) q
CROSS JOIN batch_items v WHERE v.job_id = :job_id AND v.seq = q.seq ORDER BY v.seq
