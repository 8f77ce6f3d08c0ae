-- Sources that are being read, and by whom; the worker's lease says whether it still is.
SELECT id, ingest_worker FROM jobs
WHERE sealed_at IS NULL AND ended_at IS NULL AND ingest_worker IS NOT NULL ORDER BY id
