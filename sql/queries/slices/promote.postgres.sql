-- Due retries become ready, whatever their job's state: they leave the time index and wait in their own job.
WITH due AS MATERIALIZED (
  SELECT job_id, first_seq FROM slices WHERE state = 2 AND available_at <= (SELECT clock_timestamp())
  ORDER BY available_at LIMIT :limit FOR UPDATE SKIP LOCKED
)
UPDATE slices s SET state = 0, available_at = NULL FROM due d
WHERE s.job_id = d.job_id AND s.first_seq = d.first_seq RETURNING s.job_id
