-- I22: Every failed attempt belongs to an item with an outcome of its own.
SELECT a.job_id, a.seq, a.attempt, a.fence FROM attempts a
WHERE NOT EXISTS (SELECT 1 FROM outcomes o WHERE o.job_id = a.job_id AND o.seq = a.seq)
  AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.id = a.job_id AND j.pruned_at IS NOT NULL)
ORDER BY a.job_id, a.seq, a.attempt LIMIT :limit
