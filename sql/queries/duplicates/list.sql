-- Runs of duplicate lines with a line above `after`, and who holds the first one's key; keyset by line.
SELECT first_line, last_line, holder_job_id, holder_seq, kind FROM duplicates
WHERE job_id = :job_id AND last_line > :after
  AND first_line >= coalesce((SELECT max(d.first_line) FROM duplicates d WHERE d.job_id = :job_id AND d.first_line <= :after), 0)
ORDER BY first_line LIMIT :limit
