-- Batches that may hold items of a status, from the one on that holds the seq after `after`: what a list by status need
-- look into. Their counters tell of what is final; what is open lies in batches that are not completed.
SELECT number, first_seq, last_seq FROM batches
WHERE job_id = :job_id AND last_seq > :after
  AND first_seq >= coalesce((SELECT max(b.first_seq) FROM batches b WHERE b.job_id = :job_id AND b.first_seq <= :after), 0)
  AND CASE :status WHEN 'succeeded' THEN succeeded > 0 WHEN 'skipped' THEN skipped > 0 WHEN 'dead' THEN dead > 0
    WHEN 'cancelled' THEN cancelled > 0 ELSE completed_at IS NULL END
ORDER BY first_seq LIMIT :limit
