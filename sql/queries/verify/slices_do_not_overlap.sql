-- I5: The slices of a job are disjoint, so that no two leases cover one item.
SELECT job_id, first_seq, last_seq, before AS reached_before
FROM (SELECT job_id, first_seq, last_seq, lag(last_seq) OVER (PARTITION BY job_id ORDER BY first_seq) AS before FROM slices) s
WHERE last_seq < first_seq OR first_seq <= before ORDER BY job_id, first_seq LIMIT :limit
