-- I3: A slice has a worker and a claim exactly where it is leased, a due time exactly where it waits.
SELECT job_id, first_seq, state, worker, claimed_at, available_at, running_seq, fence, settles FROM slices
WHERE (state = 1 AND (worker IS NULL OR claimed_at IS NULL)) OR (state <> 1 AND (worker IS NOT NULL OR claimed_at IS NOT NULL))
  OR (state = 2 AND available_at IS NULL) OR (state <> 2 AND available_at IS NOT NULL)
  OR (running_seq IS NOT NULL AND (state <> 1 OR running_seq < first_seq OR running_seq > last_seq))
  OR (state = 3 AND (fence > 0 OR settles > 0)) OR (state = 1 AND fence < 1) OR fence < 0 OR settles < 0 OR lapses < 0
ORDER BY job_id, first_seq LIMIT :limit
