-- I22: A run lies in one batch and stands for at least one item.
WITH placed AS MATERIALIZED (
  SELECT r.job_id, r.first_seq, r.last_seq, (SELECT b.last_seq FROM batches b
      WHERE b.job_id = r.job_id AND b.first_seq <= r.first_seq ORDER BY b.first_seq DESC LIMIT 1) AS batch_last_seq,
    (SELECT min(i.seq) FROM items i WHERE i.job_id = r.job_id AND i.seq BETWEEN r.first_seq AND r.last_seq) AS first_item
  FROM runs r WHERE NOT EXISTS (SELECT 1 FROM jobs j WHERE j.id = r.job_id AND j.pruned_at IS NOT NULL)
)
SELECT * FROM placed WHERE batch_last_seq IS NULL OR batch_last_seq < last_seq OR first_item IS NULL
ORDER BY job_id, first_seq LIMIT :limit
