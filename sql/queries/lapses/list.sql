-- Claims of a job that ended with their worker's lease, or were given back after a start; charged where that was a crash.
SELECT l.first_seq, l.last_seq, l.fence, l.worker, l.kind, l.running_seq, l.claimed_at, l.lapsed_at,
  CASE WHEN l.kind = 'lapsed' AND NOT EXISTS (
    SELECT 1 FROM workers w WHERE w.incarnation = l.worker AND (w.seen_at > l.lapsed_at OR w.seen_at >= w.lease_until)) THEN 1 ELSE 0 END AS charged
FROM lapses l WHERE l.job_id = :job_id AND (l.first_seq > :after_seq OR (l.first_seq = :after_seq AND l.fence > :after_fence))
ORDER BY l.first_seq, l.fence LIMIT :limit
