-- I3: The worker of a leased slice has its row.
SELECT s.job_id, s.first_seq, s.fence, s.worker, s.claimed_at FROM slices s LEFT JOIN workers w ON w.incarnation = s.worker
WHERE s.state = 1 AND w.incarnation IS NULL ORDER BY s.job_id, s.first_seq LIMIT :limit
