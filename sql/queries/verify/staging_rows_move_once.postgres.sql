-- I10: A staging row that became an item has left the staging table, once: its item names it, and no other of the job does.
SELECT job_id, seq, source_row_id, fault FROM (
  SELECT i.job_id, i.seq, i.source_row_id, CASE WHEN i.source_row_id IS NULL THEN 'no row named' WHEN i.alike > 1 THEN 'moved twice' END AS fault
  FROM (SELECT i.job_id, i.seq, i.source_row_id, count(*) OVER (PARTITION BY i.job_id, i.source_row_id) AS alike
        FROM jobs j JOIN items i ON i.job_id = j.id WHERE j.source_kind = 'database') i
  UNION ALL
  SELECT i.job_id, i.seq, p.id, 'still there'
  FROM pending_work p JOIN job_types t ON t.name = p.job_type
  JOIN idempotency_keys k ON k.job_type_id = t.id AND k.key = p.idempotency_key
  JOIN items i ON i.job_id = k.job_id AND i.seq = k.seq AND i.source_row_id = p.id
  JOIN jobs j ON j.id = i.job_id AND j.source_kind = 'database' AND j.created_at >= p.created_at) m
WHERE fault IS NOT NULL ORDER BY job_id, seq LIMIT :limit
