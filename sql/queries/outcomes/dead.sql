-- Dead letters that are not purged, by seq.
SELECT seq FROM outcomes WHERE job_id = :job_id AND status = 'dead' AND purged_at IS NULL AND seq > :after ORDER BY seq LIMIT :limit
