-- I1: An item has its key, or a newer item took it over; then it ended dead or cancelled, and never runs again.
-- Of a stopping job it may still wait for the sweep, held by no worker.
WITH strays AS MATERIALIZED (
  SELECT i.job_id, i.seq, j.stopping, k.job_id AS holder_job_id, k.seq AS holder_seq
  FROM items i JOIN jobs j ON j.id = i.job_id
  LEFT JOIN idempotency_keys k ON k.job_type_id = j.job_type_id AND k.key = i.idempotency_key
  WHERE j.pruned_at IS NULL AND (k.key IS NULL OR k.job_id <> i.job_id OR k.seq <> i.seq)
), judged AS MATERIALIZED (
  SELECT w.job_id, w.seq, w.holder_job_id, w.holder_seq, w.stopping,
    coalesce((SELECT o.status FROM outcomes o WHERE o.job_id = w.job_id AND o.seq = w.seq),
      (SELECT r.status FROM runs r WHERE r.job_id = w.job_id AND r.last_seq >= w.seq AND r.first_seq = (
         SELECT max(c.first_seq) FROM runs c WHERE c.job_id = w.job_id AND c.first_seq <= w.seq)), 'pending') AS status,
    (SELECT s.worker FROM slices s WHERE s.job_id = w.job_id AND s.last_seq >= w.seq AND s.first_seq = (
       SELECT max(c.first_seq) FROM slices c WHERE c.job_id = w.job_id AND c.first_seq <= w.seq)) AS worker,
    (SELECT b.created_at FROM batches b WHERE b.job_id = w.job_id AND b.first_seq <= w.seq ORDER BY b.first_seq DESC LIMIT 1) AS created_at,
    (SELECT b.created_at FROM batches b WHERE b.job_id = w.holder_job_id AND b.first_seq <= w.holder_seq
     ORDER BY b.first_seq DESC LIMIT 1) AS holder_created_at
  FROM strays w
)
SELECT job_id, seq, status, worker, holder_job_id, holder_seq, created_at, holder_created_at FROM judged
WHERE holder_seq IS NULL OR status IN ('succeeded', 'skipped') OR holder_created_at < created_at
  OR (status IN ('pending', 'retrying') AND (stopping IS NULL OR worker IS NOT NULL))
ORDER BY job_id, seq LIMIT :limit
