-- Items of free suspect slices that were named by :max_crashes lapses whose worker was not seen again; lapses before an
-- item's last outcome are over (it answered since, or was redriven with fresh attempts).
SELECT s.job_id, s.first_seq, s.fence, l.running_seq AS seq, count(*) AS crashes, max(l.lapsed_at) AS last_at,
  coalesce((SELECT o.attempts FROM outcomes o WHERE o.job_id = s.job_id AND o.seq = l.running_seq), 0) AS attempts,
  coalesce((SELECT o.max_attempts FROM outcomes o WHERE o.job_id = s.job_id AND o.seq = l.running_seq), t.max_attempts) AS max_attempts
FROM slices s CROSS JOIN lapses l CROSS JOIN jobs j CROSS JOIN job_types t
WHERE s.lapses > 0 AND s.lapses >= :max_crashes AND s.state = 0
  AND l.job_id = s.job_id AND l.first_seq = s.first_seq AND l.running_seq BETWEEN s.first_seq AND s.last_seq AND l.kind = 'lapsed'
  AND j.id = s.job_id AND t.id = j.job_type_id
  AND NOT EXISTS (SELECT 1 FROM workers w WHERE w.incarnation = l.worker AND (w.seen_at > l.lapsed_at OR w.seen_at >= w.lease_until))
  AND NOT EXISTS (SELECT 1 FROM outcomes o
    WHERE o.job_id = s.job_id AND o.seq = l.running_seq AND (o.status <> 'retrying' OR o.fence >= l.fence))
  AND (s.settles = 0 OR EXISTS (
    SELECT 1 FROM outcomes o WHERE o.job_id = s.job_id AND o.seq = l.running_seq AND o.status = 'retrying'))
GROUP BY s.job_id, s.first_seq, s.fence, l.running_seq, t.max_attempts
HAVING count(*) >= :max_crashes
ORDER BY s.job_id, s.first_seq, l.running_seq LIMIT :limit
