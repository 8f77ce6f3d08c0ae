-- I12: The runs of a job never overlap.
SELECT job_id, first_seq, last_seq, before AS reached_before
FROM (SELECT job_id, first_seq, last_seq, lag(last_seq) OVER (PARTITION BY job_id ORDER BY first_seq) AS before FROM runs) r
WHERE last_seq < first_seq OR first_seq <= before ORDER BY job_id, first_seq LIMIT :limit
