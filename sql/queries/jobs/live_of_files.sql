-- A type's live jobs that came from files, the oldest first: it holds the keys that the others found taken.
SELECT j.id, j.source, j.paused_at FROM jobs j JOIN job_types t ON t.id = j.job_type_id
WHERE j.ended_at IS NULL AND j.stopping IS NULL AND j.source_kind = 'file' AND t.name = :job_type
ORDER BY j.id
