-- I12: The counters of a job are the sums of its closed batches; its batches are numbered from 1 and hold what it accepted.
WITH summed AS MATERIALIZED (
  SELECT job_id, count(*) AS batches, max(number) AS last_number, count(*) - count(completed_at) AS batches_open,
    CAST(sum(total) AS bigint) AS accepted,
    CAST(sum(CASE WHEN completed_at IS NULL THEN 0 ELSE succeeded END) AS bigint) AS succeeded,
    CAST(sum(CASE WHEN completed_at IS NULL THEN 0 ELSE skipped END) AS bigint) AS skipped,
    CAST(sum(CASE WHEN completed_at IS NULL THEN 0 ELSE dead END) AS bigint) AS dead,
    CAST(sum(CASE WHEN completed_at IS NULL THEN 0 ELSE cancelled END) AS bigint) AS cancelled
  FROM batches GROUP BY job_id
), compared AS MATERIALIZED (
  SELECT j.id AS job_id, j.batches, coalesce(s.batches, 0) AS batch_rows, coalesce(s.last_number, 0) AS last_batch,
    j.batches_open, coalesce(s.batches_open, 0) AS open_batch_rows, j.accepted, coalesce(s.accepted, 0) AS summed_accepted,
    j.succeeded, coalesce(s.succeeded, 0) AS summed_succeeded, j.skipped, coalesce(s.skipped, 0) AS summed_skipped,
    j.dead, coalesce(s.dead, 0) AS summed_dead, j.cancelled, coalesce(s.cancelled, 0) AS summed_cancelled
  FROM jobs j LEFT JOIN summed s ON s.job_id = j.id WHERE j.pruned_at IS NULL
)
SELECT * FROM compared
WHERE batches <> batch_rows OR batches <> last_batch OR batches_open <> open_batch_rows OR accepted <> summed_accepted
  OR succeeded <> summed_succeeded OR skipped <> summed_skipped OR dead <> summed_dead OR cancelled <> summed_cancelled
ORDER BY job_id LIMIT :limit
