-- Where the first range of lines after `after` begins that holds an item without a final outcome.
SELECT first_seq FROM slices
WHERE job_id = :job_id AND last_seq > :after
  AND first_seq >= coalesce((SELECT max(s.first_seq) FROM slices s WHERE s.job_id = :job_id AND s.first_seq <= :after), 0)
ORDER BY first_seq LIMIT 1
