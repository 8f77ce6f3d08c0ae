-- I22: Every outcome has its item.
SELECT o.job_id, o.seq, o.status FROM outcomes o
WHERE NOT EXISTS (SELECT 1 FROM items i WHERE i.job_id = o.job_id AND i.seq = o.seq)
  AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.id = o.job_id AND j.pruned_at IS NOT NULL)
ORDER BY o.job_id, o.seq LIMIT :limit
