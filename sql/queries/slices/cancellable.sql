-- Free slices of stopping jobs, to be settled as cancelled under the fence read here; `retrying` have a row of their own.
-- :rows bounds the open items together, and so the rows; one slice is read however large it is.
SELECT s.job_id, s.first_seq, s.fence, s.state, s.open, s.settles, o.seq, o.attempts, o.max_attempts, o.error_code, o.error
FROM (SELECT s.*, sum(s.open) OVER (ORDER BY s.job_id, s.first_seq) - s.open AS before
      FROM (SELECT s.* FROM jobs j CROSS JOIN slices s
            WHERE s.job_id = j.id AND j.ended_at IS NULL AND j.stopping IS NOT NULL AND s.state <> 1
            ORDER BY s.job_id, s.first_seq LIMIT :limit) s) s
LEFT JOIN outcomes o ON o.job_id = s.job_id AND o.seq BETWEEN s.first_seq AND s.last_seq AND o.status = 'retrying'
WHERE s.before < :rows
ORDER BY s.job_id, s.first_seq, o.seq
