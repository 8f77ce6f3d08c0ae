-- Due retries become ready, whatever their job's state: they leave the time index and wait in their own job.
UPDATE slices SET state = 0, available_at = NULL WHERE (job_id, first_seq) IN (
  SELECT job_id, first_seq FROM slices WHERE state = 2 AND available_at <= (SELECT clock_timestamp())
  ORDER BY available_at LIMIT :limit)
RETURNING job_id
