-- The commonest error codes of a job, with one sample each.
SELECT o.error_code, count(*) AS items, max(o.error) AS sample, min(o.seq) AS first_seq FROM outcomes o
WHERE o.job_id = :job_id AND o.error_code IS NOT NULL GROUP BY o.error_code ORDER BY items DESC, o.error_code LIMIT :limit
