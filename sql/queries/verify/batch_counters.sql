-- I12: The counters of a batch are what its outcomes and runs say.
-- An item with a row of its own counts as that says; the others of a run's range ended as the run did.
WITH plain AS MATERIALIZED (  -- how many items each run stands for
  SELECT r.job_id, r.first_seq, r.status,
    (SELECT count(*) FROM items i WHERE i.job_id = r.job_id AND i.seq BETWEEN r.first_seq AND r.last_seq)
      - (SELECT count(*) FROM outcomes o WHERE o.job_id = r.job_id AND o.seq BETWEEN r.first_seq AND r.last_seq) AS items
  FROM runs r JOIN jobs j ON j.id = r.job_id WHERE j.pruned_at IS NULL
), placed AS MATERIALIZED (  -- and in which batch
  SELECT p.job_id, p.status, p.items, (SELECT b.first_seq FROM batches b
    WHERE b.job_id = p.job_id AND b.first_seq <= p.first_seq ORDER BY b.first_seq DESC LIMIT 1) AS batch_seq
  FROM plain p
), by_run AS MATERIALIZED (
  SELECT job_id, batch_seq, CAST(sum(CASE WHEN status = 'succeeded' THEN items ELSE 0 END) AS bigint) AS succeeded,
    CAST(sum(CASE WHEN status = 'cancelled' THEN items ELSE 0 END) AS bigint) AS cancelled
  FROM placed GROUP BY job_id, batch_seq
), by_row AS MATERIALIZED (
  SELECT b.job_id, b.first_seq AS batch_seq,
    (SELECT count(*) FROM outcomes o WHERE o.job_id = b.job_id AND o.seq BETWEEN b.first_seq AND b.last_seq AND o.status = 'succeeded') AS succeeded,
    (SELECT count(*) FROM outcomes o WHERE o.job_id = b.job_id AND o.seq BETWEEN b.first_seq AND b.last_seq AND o.status = 'skipped') AS skipped,
    (SELECT count(*) FROM outcomes o WHERE o.job_id = b.job_id AND o.seq BETWEEN b.first_seq AND b.last_seq AND o.status = 'dead') AS dead,
    (SELECT count(*) FROM outcomes o WHERE o.job_id = b.job_id AND o.seq BETWEEN b.first_seq AND b.last_seq AND o.status = 'cancelled') AS cancelled
  FROM batches b JOIN jobs j ON j.id = b.job_id WHERE j.pruned_at IS NULL
), recounted AS MATERIALIZED (
  SELECT b.job_id, b.number AS batch, b.succeeded, o.succeeded + coalesce(r.succeeded, 0) AS recounted_succeeded,
    b.skipped, o.skipped AS recounted_skipped, b.dead, o.dead AS recounted_dead,
    b.cancelled, o.cancelled + coalesce(r.cancelled, 0) AS recounted_cancelled
  FROM batches b JOIN by_row o ON o.job_id = b.job_id AND o.batch_seq = b.first_seq
  LEFT JOIN by_run r ON r.job_id = b.job_id AND r.batch_seq = b.first_seq
)
SELECT * FROM recounted
WHERE succeeded <> recounted_succeeded OR skipped <> recounted_skipped OR dead <> recounted_dead OR cancelled <> recounted_cancelled
ORDER BY job_id, batch LIMIT :limit
