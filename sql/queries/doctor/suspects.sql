-- Slices whose claims ended with their worker.
SELECT job_id, first_seq, last_seq, lapses, running_seq FROM slices WHERE lapses > 0
ORDER BY job_id, first_seq LIMIT :limit
