-- I12: The batches of a job do not overlap, and follow each other by number.
SELECT job_id, number AS batch, first_seq, last_seq, before AS reached_before, number_before
FROM (SELECT job_id, number, first_seq, last_seq, lag(last_seq) OVER (PARTITION BY job_id ORDER BY first_seq) AS before,
        lag(number) OVER (PARTITION BY job_id ORDER BY first_seq) AS number_before FROM batches) b
WHERE last_seq < first_seq OR first_seq <= before OR number <= number_before ORDER BY job_id, number LIMIT :limit
