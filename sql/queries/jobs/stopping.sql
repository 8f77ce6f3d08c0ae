-- Jobs that are stopping: what a worker holds of them and has not started, it gives back.
SELECT id FROM jobs WHERE ended_at IS NULL AND stopping IS NOT NULL
