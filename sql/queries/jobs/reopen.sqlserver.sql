-- A redrive reopens: `stopping` cleared, a new round where the job had ended; totals of reopened batches leave the job.
DECLARE @reopened TABLE (slices_cut bigint, round int);
UPDATE jobs SET batches_open = batches_open + :batches, succeeded = succeeded - :succeeded, skipped = skipped - :skipped,
  dead = dead - :dead, cancelled = cancelled - :cancelled, slices_cut = slices_cut + :slices,
  round = round + CASE WHEN ended_at IS NULL THEN 0 ELSE 1 END, ended_at = NULL, stopping = NULL, reason = NULL, reason_code = NULL
OUTPUT inserted.slices_cut, inserted.round INTO @reopened
WHERE id = :job_id AND (stopping IS NULL OR ended_at IS NOT NULL) AND pruned_at IS NULL;
-- then
SELECT slices_cut, round FROM @reopened
