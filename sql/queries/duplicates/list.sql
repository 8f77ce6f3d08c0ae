-- Runs of duplicate lines, with who holds the first one's key; keyset by first line.
SELECT first_line, last_line, holder_job_id, holder_seq, kind FROM duplicates
WHERE job_id = :job_id AND first_line > :after ORDER BY first_line LIMIT :limit
