-- Other living workers that hold slices of a job or read its source: what they hold is not free before their lease ends.
SELECT w.host, w.pid, w.lease_until FROM workers w
WHERE w.lease_until > clock_timestamp() AND w.incarnation <> :worker
  AND (EXISTS (SELECT 1 FROM slices s WHERE s.job_id = :job_id AND s.state = 1 AND s.worker = w.incarnation)
    OR EXISTS (SELECT 1 FROM jobs j WHERE j.id = :job_id AND j.sealed_at IS NULL AND j.ended_at IS NULL
               AND j.ingest_worker = w.incarnation))
ORDER BY w.lease_until
