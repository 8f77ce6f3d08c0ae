-- I24: Errors, reasons, results and raw lines are capped, and have no NUL.
-- The caps count characters; of two UTF-16 units each, at most.
SELECT job_id, seq, what FROM (
  SELECT job_id, seq, 'outcome' AS what FROM outcomes
  WHERE DATALENGTH(error) > 16000 OR DATALENGTH(error_code) > 400 OR DATALENGTH(result) > 262144
    OR CHARINDEX(NCHAR(0), error) > 0 OR CHARINDEX(NCHAR(0), result) > 0
  UNION ALL SELECT job_id, seq, 'attempt' FROM attempts
  WHERE DATALENGTH(error) > 16000 OR DATALENGTH(code) > 400 OR CHARINDEX(NCHAR(0), error) > 0
  UNION ALL SELECT job_id, line, 'reject' FROM rejects
  WHERE DATALENGTH(raw) > 65536 OR DATALENGTH(message) > 16000 OR CHARINDEX(NCHAR(0), message) > 0
  UNION ALL SELECT id, 0, 'job' FROM jobs WHERE DATALENGTH(reason) > 16000 OR CHARINDEX(NCHAR(0), reason) > 0) e
ORDER BY job_id, seq OFFSET 0 ROWS FETCH NEXT :limit ROWS ONLY
