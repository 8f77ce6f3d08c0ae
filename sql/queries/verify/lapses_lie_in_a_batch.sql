-- I22: A lapse lies in one batch, ended no earlier than its claim began, and names an item of its range or none.
WITH placed AS MATERIALIZED (
  SELECT l.job_id, l.first_seq, l.fence, l.last_seq, l.running_seq, l.claimed_at, l.lapsed_at, (SELECT b.last_seq FROM batches b
    WHERE b.job_id = l.job_id AND b.first_seq <= l.first_seq ORDER BY b.first_seq DESC LIMIT 1) AS batch_last_seq
  FROM lapses l WHERE NOT EXISTS (SELECT 1 FROM jobs j WHERE j.id = l.job_id AND j.pruned_at IS NOT NULL)
)
SELECT * FROM placed
WHERE batch_last_seq IS NULL OR batch_last_seq < last_seq OR lapsed_at < claimed_at
  OR running_seq < first_seq OR running_seq > last_seq
ORDER BY job_id, first_seq, fence LIMIT :limit
