-- The checkpoint of a chunk, the last lock of its transaction: guarded by the ingest fence and by where it started from.
DECLARE @moved TABLE (batches int, slices_cut bigint);
UPDATE jobs SET byte_offset = :end, line = line + :physical, chain = :chain, source_position = :source_position,
  started_at = COALESCE(started_at, SYSUTCDATETIME()), lines = lines + :lines, accepted = accepted + :accepted,
  duplicates = duplicates + :duplicates, rejected = rejected + :rejected, batches = batches + :batches,
  batches_open = batches_open + :batches, slices_cut = slices_cut + :slices
OUTPUT inserted.batches, inserted.slices_cut INTO @moved
WHERE id = :job_id AND ingest_fence = :ingest_fence AND byte_offset = :start AND line = :line AND sealed_at IS NULL;
-- then
SELECT batches, slices_cut FROM @moved
