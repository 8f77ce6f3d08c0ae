-- I24: Errors, reasons, results and raw lines are capped, and have no NUL.
SELECT job_id, seq, what FROM (
  SELECT job_id, seq, 'outcome' AS what FROM outcomes
  WHERE length(error) > 4000 OR length(error_code) > 100 OR length(result) > 65536
  UNION ALL SELECT job_id, seq, 'attempt' FROM attempts WHERE length(error) > 4000 OR length(code) > 100
  UNION ALL SELECT job_id, line, 'reject' FROM rejects WHERE length(raw) > 65536 OR length(message) > 4000
  UNION ALL SELECT id, 0, 'job' FROM jobs WHERE length(reason) > 4000) e
ORDER BY job_id, seq LIMIT :limit
