-- I9: The total of a batch is the number of items in its range.
WITH counted AS MATERIALIZED (
  SELECT b.job_id, b.number AS batch, b.first_seq, b.last_seq, b.total,
    (SELECT count(*) FROM items i WHERE i.job_id = b.job_id AND i.seq BETWEEN b.first_seq AND b.last_seq) AS item_rows
  FROM batches b JOIN jobs j ON j.id = b.job_id WHERE j.pruned_at IS NULL
)
SELECT * FROM counted WHERE total <> item_rows ORDER BY job_id, batch LIMIT :limit
