-- Batches with what is retrying and in work in each; keyset by number.
SELECT b.number, b.first_seq, b.last_seq, b.total, b.succeeded, b.skipped, b.dead, b.cancelled, b.created_at, b.completed_at,
  CASE WHEN b.completed_at IS NULL THEN (SELECT count(*) FROM outcomes o
    WHERE o.job_id = b.job_id AND o.status = 'retrying' AND o.seq BETWEEN b.first_seq AND b.last_seq) ELSE 0 END AS retrying,
  CASE WHEN b.completed_at IS NULL THEN (SELECT coalesce(sum(s.open - (SELECT count(*) FROM outcomes o
      WHERE o.job_id = s.job_id AND o.status = 'retrying' AND o.seq BETWEEN s.first_seq AND s.last_seq)), 0)
    FROM slices s WHERE s.job_id = b.job_id AND s.state = 1 AND s.first_seq BETWEEN b.first_seq AND b.last_seq) ELSE 0 END AS processing
FROM batches b WHERE b.job_id = :job_id AND b.number > :after ORDER BY b.number LIMIT :limit
