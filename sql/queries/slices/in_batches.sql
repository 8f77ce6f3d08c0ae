-- All slices of some batches of a job, to place new ones between them.
SELECT first_seq, last_seq, batch FROM slices
WHERE job_id = :job_id AND first_seq BETWEEN :first_seq AND :last_seq ORDER BY first_seq
