-- Held slices of strict jobs become ready once their job is sealed: a standing duty, so that no crash strands them.
UPDATE slices SET state = 0 WHERE (job_id, first_seq) IN (
  SELECT s.job_id, s.first_seq FROM slices s JOIN jobs j ON j.id = s.job_id
  WHERE s.state = 3 AND j.sealed_at IS NOT NULL AND j.stopping IS NULL ORDER BY s.job_id, s.first_seq LIMIT :limit)
RETURNING job_id
