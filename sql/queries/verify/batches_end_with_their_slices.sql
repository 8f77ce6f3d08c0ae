-- I13: A batch has ended exactly where it has no slice, and where its counters make its total.
WITH counted AS MATERIALIZED (
  SELECT b.job_id, b.number AS batch, b.total, b.succeeded + b.skipped + b.dead + b.cancelled AS ended_items, b.completed_at,
    (SELECT count(*) FROM slices s WHERE s.job_id = b.job_id AND s.first_seq BETWEEN b.first_seq AND b.last_seq) AS slices
  FROM batches b
)
SELECT * FROM counted
WHERE (completed_at IS NULL AND (slices = 0 OR total = ended_items)) OR (completed_at IS NOT NULL AND (slices > 0 OR total <> ended_items))
ORDER BY job_id, batch LIMIT :limit
