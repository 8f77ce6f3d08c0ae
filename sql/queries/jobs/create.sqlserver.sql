-- A job of some source. Its rank starts at the head of the queue: ten items behind ten million start at once. The head
-- of a job with nothing ready is what it cuts next.
DECLARE @head bigint = COALESCE((
  SELECT MIN(j.rank_base + COALESCE(h.ordinal, j.slices_cut)) FROM jobs j
  OUTER APPLY (SELECT MIN(s.ordinal) AS ordinal FROM slices s WITH (READPAST, READCOMMITTEDLOCK)
    WHERE s.job_id = j.id AND s.state = 0) h
  WHERE j.ended_at IS NULL AND j.paused_at IS NULL AND j.stopping IS NULL), 0);
DECLARE @created TABLE (id bigint, ingest_fence bigint);
INSERT INTO jobs (job_type_id, name, priority, max_concurrency, rate, options, source_kind, source_name, source,
  source_size, request_key, request_fingerprint, created_at, rank_base)
OUTPUT inserted.id, inserted.ingest_fence INTO @created
VALUES (:job_type_id, :name, :priority, :max_concurrency, :rate, :options, :source_kind, :source_name, :source,
  :source_size, CONVERT(varbinary(1024), :request_key), :request_fingerprint, SYSUTCDATETIME(), @head);
-- then
SELECT id, ingest_fence FROM @created
