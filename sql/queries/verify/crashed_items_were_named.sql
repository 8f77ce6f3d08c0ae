-- I6: An item that is dead of crashes was named by a lapse.
SELECT o.job_id, o.seq, o.fence FROM outcomes o
WHERE o.status = 'dead' AND o.reason = 'crashed' AND NOT EXISTS (
  SELECT 1 FROM lapses l WHERE l.job_id = o.job_id AND l.running_seq = o.seq AND l.kind = 'lapsed')
ORDER BY o.job_id, o.seq LIMIT :limit
