-- I5: The slices of a job have ordinals of their own, below the number that were cut.
SELECT s.job_id, s.first_seq, s.ordinal, j.slices_cut
FROM (SELECT job_id, first_seq, ordinal, count(*) OVER (PARTITION BY job_id, ordinal) AS alike FROM slices) s
JOIN jobs j ON j.id = s.job_id
WHERE s.alike > 1 OR s.ordinal < 0 OR s.ordinal >= j.slices_cut ORDER BY s.job_id, s.ordinal, s.first_seq LIMIT :limit
