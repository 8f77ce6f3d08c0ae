-- A job of some source. Its rank starts at the head of the queue: ten items behind ten million start at once. The head
-- of a job with nothing ready is what it cuts next.
INSERT INTO jobs (job_type_id, name, priority, max_concurrency, rate, options, source_kind, source_name, source,
  source_size, request_key, request_fingerprint, created_at, rank_base)
VALUES (:job_type_id, :name, :priority, :max_concurrency, :rate, :options, :source_kind, :source_name, :source,
  :source_size, :request_key, :request_fingerprint, clock_timestamp(),
  coalesce((SELECT min(j.rank_base
              + coalesce((SELECT min(s.ordinal) FROM slices s WHERE s.job_id = j.id AND s.state = 0), j.slices_cut))
            FROM jobs j WHERE j.ended_at IS NULL AND j.paused_at IS NULL AND j.stopping IS NULL), 0))
RETURNING id, ingest_fence
