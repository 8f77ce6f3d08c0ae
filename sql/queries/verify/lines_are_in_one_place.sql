-- I9: A line is an item, a duplicate or a reject, one of the three, and lies in what was read.
SELECT job_id, line, places FROM (
  SELECT r.job_id, r.line, 'item, reject' AS places
  FROM rejects r JOIN items i ON i.job_id = r.job_id AND i.seq = r.line
  UNION ALL
  SELECT d.job_id, (SELECT min(i.seq) FROM items i WHERE i.job_id = d.job_id AND i.seq BETWEEN d.first_line AND d.last_line),
    'item, duplicate' FROM duplicates d
  UNION ALL
  SELECT d.job_id, (SELECT min(r.line) FROM rejects r WHERE r.job_id = d.job_id AND r.line BETWEEN d.first_line AND d.last_line),
    'duplicate, reject' FROM duplicates d
  UNION ALL
  SELECT d.job_id, CASE WHEN d.first_line <= d.before OR d.last_line < d.first_line THEN d.first_line END, 'duplicate, duplicate'
  FROM (SELECT job_id, first_line, last_line, lag(last_line) OVER (PARTITION BY job_id ORDER BY first_line) AS before
        FROM duplicates) d
  UNION ALL
  SELECT u.job_id, u.line, 'beyond what was read' FROM (
    SELECT j.id AS job_id, j.line AS physical_lines, (SELECT max(i.seq) FROM items i WHERE i.job_id = j.id) AS line FROM jobs j
    UNION ALL SELECT j.id, j.line, (SELECT max(d.last_line) FROM duplicates d WHERE d.job_id = j.id) FROM jobs j
    UNION ALL SELECT j.id, j.line, (SELECT max(r.line) FROM rejects r WHERE r.job_id = j.id) FROM jobs j) u
  WHERE u.line > u.physical_lines
) p
WHERE line IS NOT NULL ORDER BY job_id, line LIMIT :limit
