-- Batches that may hold items of a status, from the one on that holds the seq after `after`: what a list by status need
-- look into. Their counters tell of what is final; what is open lies in batches that are not completed.
SELECT number, first_seq, last_seq FROM batches
WHERE job_id = :job_id AND last_seq > :after
  AND first_seq >= coalesce((SELECT max(b.first_seq) FROM batches b WHERE b.job_id = :job_id AND b.first_seq <= :after), 0)
  AND CASE :status WHEN 'succeeded' THEN succeeded WHEN 'skipped' THEN skipped WHEN 'dead' THEN dead
    WHEN 'cancelled' THEN cancelled ELSE CASE WHEN completed_at IS NULL THEN 1 ELSE 0 END END > 0
ORDER BY first_seq LIMIT :limit
