-- Every lapse under which an item may have run: those of slices that covered it.
SELECT l.fence, l.worker, l.kind, l.running_seq, l.claimed_at, l.lapsed_at,
  CASE WHEN l.kind = 'lapsed' AND NOT EXISTS (
    SELECT 1 FROM workers w WHERE w.incarnation = l.worker AND (w.seen_at > l.lapsed_at OR w.seen_at >= w.lease_until)) THEN 1 ELSE 0 END AS charged
FROM lapses l WHERE l.job_id = :job_id AND l.first_seq BETWEEN :batch_first_seq AND :seq AND l.last_seq >= :seq
ORDER BY l.lapsed_at, l.fence
