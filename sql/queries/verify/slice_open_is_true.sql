-- I5: `open` of a slice is the number of its items without a final outcome; a slice of none is gone.
-- Before its first settle that is every item without a final row; after it, the retrying ones.
WITH counted AS MATERIALIZED (
  SELECT s.job_id, s.first_seq, s.last_seq, s.settles, s.open, CASE WHEN s.settles = 0
    THEN (SELECT count(*) FROM items i WHERE i.job_id = s.job_id AND i.seq BETWEEN s.first_seq AND s.last_seq)
      - (SELECT count(*) FROM outcomes o WHERE o.job_id = s.job_id AND o.seq BETWEEN s.first_seq AND s.last_seq AND o.status <> 'retrying')
    ELSE (SELECT count(*) FROM outcomes o WHERE o.job_id = s.job_id AND o.seq BETWEEN s.first_seq AND s.last_seq AND o.status = 'retrying')
    END AS open_items
  FROM slices s
)
SELECT * FROM counted WHERE open <> open_items OR open < 1 ORDER BY job_id, first_seq LIMIT :limit
