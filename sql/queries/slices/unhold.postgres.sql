-- Held slices of strict jobs become ready once their job is sealed: a standing duty, so that no crash strands them.
WITH sealed AS MATERIALIZED (
  SELECT s.job_id, s.first_seq FROM slices s JOIN jobs j ON j.id = s.job_id
  WHERE s.state = 3 AND j.sealed_at IS NOT NULL AND j.stopping IS NULL
  ORDER BY s.job_id, s.first_seq LIMIT :limit FOR UPDATE OF s SKIP LOCKED
)
UPDATE slices s SET state = 0 FROM sealed d
WHERE s.job_id = d.job_id AND s.first_seq = d.first_seq RETURNING s.job_id
