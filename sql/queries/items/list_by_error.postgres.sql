-- Items whose last error has a code, by way of those rows; keyset by seq.
SELECT v.* FROM (
  SELECT o.seq FROM outcomes o WHERE o.job_id = :job_id AND o.error_code = :error_code AND o.seq > :after AND o.seq <= :last_seq
  ORDER BY o.seq LIMIT :limit) q
CROSS JOIN LATERAL (SELECT * FROM batch_items b WHERE b.job_id = :job_id AND b.seq = q.seq) v ORDER BY v.seq
