-- I8: Every duplicate line names an item that held its key: the lines of a run are held by as many items in a row.
WITH held AS MATERIALIZED (
  SELECT d.job_id, d.first_line, d.last_line, d.kind, d.holder_job_id, d.holder_seq,
    (SELECT count(*) FROM items i WHERE i.job_id = d.holder_job_id
       AND i.seq BETWEEN d.holder_seq AND d.holder_seq + d.last_line - d.first_line) AS holders
  FROM duplicates d WHERE NOT EXISTS (SELECT 1 FROM jobs j WHERE j.id = d.holder_job_id AND j.pruned_at IS NOT NULL)
)
SELECT * FROM held WHERE holders <> last_line - first_line + 1 ORDER BY job_id, first_line LIMIT :limit
