-- The event of a round's end, once, where the job has ended.
INSERT INTO events (job_id, round, status, created_at)
SELECT id, round, status, clock_timestamp() FROM jobs WHERE id = :job_id AND ended_at IS NOT NULL
ON CONFLICT (job_id, round) DO NOTHING RETURNING round
