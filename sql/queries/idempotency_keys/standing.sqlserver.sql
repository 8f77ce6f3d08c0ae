-- What became of items that hold keys, so that a line may take a key over: final where dead or cancelled. An item of a
-- stopping job counts as cancelled unless a worker holds its slice.
SELECT h.job_id, h.seq,
  CASE WHEN o.status <> 'retrying' THEN o.status
       WHEN o.status IS NULL AND r.status IS NOT NULL THEN r.status
       WHEN j.stopping IS NOT NULL AND (s.state IS NULL OR s.state <> 1) THEN 'cancelled' ELSE 'open' END AS status,
  o.purged_at, b.number AS batch
FROM OPENJSON(:holders) WITH (job_id bigint, seq bigint) h
JOIN jobs j ON j.id = h.job_id
LEFT JOIN outcomes o ON o.job_id = h.job_id AND o.seq = h.seq
OUTER APPLY (SELECT c.status FROM (
  SELECT TOP (1) d.status, d.last_seq FROM runs d WHERE d.job_id = h.job_id AND d.first_seq <= h.seq
  ORDER BY d.first_seq DESC) c WHERE c.last_seq >= h.seq) r
OUTER APPLY (SELECT c.state FROM (
  SELECT TOP (1) d.state, d.last_seq FROM slices d WHERE d.job_id = h.job_id AND d.first_seq <= h.seq
  ORDER BY d.first_seq DESC) c WHERE c.last_seq >= h.seq) s
OUTER APPLY (
  SELECT TOP (1) c.number FROM batches c WHERE c.job_id = h.job_id AND c.first_seq <= h.seq ORDER BY c.first_seq DESC) b
