-- What became of items that hold keys, so that a line may take a key over: final where dead or cancelled. An item of a
-- stopping job counts as cancelled unless a worker holds its slice.
SELECT h.job_id, h.seq,
  CASE WHEN o.status <> 'retrying' THEN o.status
       WHEN o.status IS NULL AND r.status IS NOT NULL THEN r.status
       WHEN j.stopping IS NOT NULL AND s.state IS DISTINCT FROM 1 THEN 'cancelled' ELSE 'open' END AS status,
  o.purged_at, b.number AS batch
FROM unnest(:holders.job_id::bigint[], :holders.seq::bigint[]) AS h (job_id, seq)
JOIN jobs j ON j.id = h.job_id
LEFT JOIN LATERAL (SELECT c.status, c.purged_at FROM outcomes c WHERE c.job_id = h.job_id AND c.seq = h.seq OFFSET 0) o ON true
LEFT JOIN LATERAL (SELECT c.status, c.last_seq FROM runs c WHERE c.job_id = h.job_id AND c.first_seq <= h.seq
  ORDER BY c.first_seq DESC LIMIT 1) r ON r.last_seq >= h.seq
LEFT JOIN LATERAL (SELECT c.state, c.last_seq FROM slices c WHERE c.job_id = h.job_id AND c.first_seq <= h.seq
  ORDER BY c.first_seq DESC LIMIT 1) s ON s.last_seq >= h.seq
LEFT JOIN LATERAL (SELECT c.number FROM batches c WHERE c.job_id = h.job_id AND c.first_seq <= h.seq
  ORDER BY c.first_seq DESC LIMIT 1) b ON true
