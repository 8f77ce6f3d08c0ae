-- I5: Every item without a final outcome is covered by a slice.
-- Only a batch whose counters and slices do not make its total can have one that is not: its first is looked for.
WITH summed AS MATERIALIZED (
  SELECT b.job_id, b.number, b.first_seq, b.last_seq, b.total, b.succeeded + b.skipped + b.dead + b.cancelled AS ended_items,
    (SELECT CAST(coalesce(sum(s.open), 0) AS bigint) FROM slices s
     WHERE s.job_id = b.job_id AND s.first_seq BETWEEN b.first_seq AND b.last_seq) AS open_items
  FROM batches b
), found AS MATERIALIZED (
  SELECT b.job_id, b.number AS batch, (
    SELECT min(i.seq) FROM items i WHERE i.job_id = b.job_id AND i.seq BETWEEN b.first_seq AND b.last_seq
      AND NOT EXISTS (SELECT 1 FROM slices s WHERE s.job_id = i.job_id AND s.first_seq BETWEEN b.first_seq AND i.seq AND s.last_seq >= i.seq)
      AND NOT EXISTS (SELECT 1 FROM outcomes o WHERE o.job_id = i.job_id AND o.seq = i.seq AND o.status <> 'retrying')
      AND (EXISTS (SELECT 1 FROM outcomes o WHERE o.job_id = i.job_id AND o.seq = i.seq)
        OR NOT EXISTS (SELECT 1 FROM runs r WHERE r.job_id = i.job_id AND r.first_seq BETWEEN b.first_seq AND i.seq AND r.last_seq >= i.seq))
    ) AS seq, b.total, b.ended_items, b.open_items
  FROM summed b WHERE b.total <> b.ended_items + b.open_items
)
SELECT * FROM found WHERE seq IS NOT NULL ORDER BY job_id, batch LIMIT :limit
