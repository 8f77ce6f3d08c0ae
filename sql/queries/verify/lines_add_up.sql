-- I9: lines = accepted + duplicates + rejected, and each of the three is what its table has.
WITH counted AS MATERIALIZED (
  SELECT j.id AS job_id, j.line AS physical_lines, j.lines, j.accepted, j.duplicates, j.rejected,
    (SELECT count(*) FROM items i WHERE i.job_id = j.id) AS item_rows,
    (SELECT CAST(coalesce(sum(d.last_line - d.first_line + 1), 0) AS bigint) FROM duplicates d WHERE d.job_id = j.id) AS duplicate_lines,
    (SELECT count(*) FROM rejects r WHERE r.job_id = j.id) AS reject_rows
  FROM jobs j WHERE j.pruned_at IS NULL
)
SELECT * FROM counted
WHERE lines <> accepted + duplicates + rejected OR lines > physical_lines
  OR accepted <> item_rows OR duplicates <> duplicate_lines OR rejected <> reject_rows
ORDER BY job_id LIMIT :limit
