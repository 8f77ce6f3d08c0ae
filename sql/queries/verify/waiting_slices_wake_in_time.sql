-- I7: A waiting slice has retrying items alone, and is due no later than the first of them.
WITH expected AS MATERIALIZED (
  SELECT s.job_id, s.first_seq, s.open, s.available_at,
    (SELECT count(*) FROM outcomes o WHERE o.job_id = s.job_id AND o.seq BETWEEN s.first_seq AND s.last_seq AND o.status = 'retrying') AS retrying,
    (SELECT min(o.next_attempt_at) FROM outcomes o
     WHERE o.job_id = s.job_id AND o.seq BETWEEN s.first_seq AND s.last_seq AND o.status = 'retrying') AS next_attempt_at
  FROM slices s WHERE s.state = 2
)
SELECT * FROM expected WHERE open <> retrying OR next_attempt_at IS NULL OR available_at > next_attempt_at
ORDER BY job_id, first_seq LIMIT :limit
