-- I22: Batches, rejects, duplicates, events and actions belong to a job that is there.
SELECT r.job_id, r.kind, r.place FROM (
  SELECT job_id, 'batch' AS kind, number AS place FROM batches
  UNION ALL SELECT job_id, 'reject', line FROM rejects
  UNION ALL SELECT job_id, 'duplicate', first_line FROM duplicates
  UNION ALL SELECT job_id, 'event', round FROM events
  UNION ALL SELECT job_id, 'action', id FROM actions WHERE job_id IS NOT NULL) r
WHERE NOT EXISTS (SELECT 1 FROM jobs j WHERE j.id = r.job_id) ORDER BY r.job_id, r.kind, r.place LIMIT :limit
