-- How many live jobs each type has, and how many of them are paused.
SELECT job_type_id, count(*) AS jobs, count(paused_at) AS paused FROM jobs WHERE ended_at IS NULL GROUP BY job_type_id
