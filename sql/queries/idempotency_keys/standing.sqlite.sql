-- What became of items that hold keys, so that a line may take a key over: final where dead or cancelled. An item of a
-- stopping job counts as cancelled unless a worker holds its slice.
SELECT h.value ->> 'job_id' AS job_id, h.value ->> 'seq' AS seq,
  CASE WHEN o.status NOT IN ('retrying') THEN o.status
       WHEN o.status IS NULL AND r.status IS NOT NULL THEN r.status
       WHEN j.stopping IS NOT NULL AND s.state IS NOT 1 THEN 'cancelled' ELSE 'open' END AS status,
  o.purged_at, b.number AS batch
FROM json_each(:holders) h CROSS JOIN jobs j ON j.id = h.value ->> 'job_id'
LEFT JOIN outcomes o ON o.job_id = j.id AND o.seq = h.value ->> 'seq'
LEFT JOIN runs r ON r.job_id = j.id AND r.last_seq >= h.value ->> 'seq' AND r.first_seq = (
  SELECT max(c.first_seq) FROM runs c WHERE c.job_id = j.id AND c.first_seq <= h.value ->> 'seq')
LEFT JOIN slices s ON s.job_id = j.id AND s.last_seq >= h.value ->> 'seq' AND s.first_seq = (
  SELECT max(c.first_seq) FROM slices c WHERE c.job_id = j.id AND c.first_seq <= h.value ->> 'seq')
LEFT JOIN batches b ON b.job_id = j.id AND b.first_seq = (
  SELECT max(c.first_seq) FROM batches c WHERE c.job_id = j.id AND c.first_seq <= h.value ->> 'seq')
