-- What workers hold, by job.
SELECT worker, job_id, count(*) AS slices, sum(open) AS items, min(claimed_at) AS claimed_at
FROM slices WHERE state = 1 GROUP BY worker, job_id ORDER BY worker, job_id
