-- What a client's key stands for, or (:request_fingerprint NULL) that it stands for this job no more.
UPDATE jobs SET request_key = CASE WHEN CAST(:request_fingerprint AS varchar(200)) IS NULL THEN NULL ELSE request_key END,
  request_fingerprint = CAST(:request_fingerprint AS varchar(200))
WHERE id = :job_id AND request_key IS NOT NULL
