-- Rows outlive their lease by a day, and as long as a slice, its lapses or an ingestion names them.
DELETE FROM workers WHERE lease_until + :age < clock_timestamp()
  AND NOT EXISTS (SELECT 1 FROM slices s WHERE s.state = 1 AND s.worker = workers.incarnation)
  AND NOT EXISTS (SELECT 1 FROM lapses l JOIN slices s ON s.job_id = l.job_id AND s.first_seq = l.first_seq
                  WHERE l.worker = workers.incarnation)
  AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.sealed_at IS NULL AND j.ended_at IS NULL AND j.ingest_worker = workers.incarnation)
