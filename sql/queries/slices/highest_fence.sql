-- The highest fence that anything in a range of a job's seqs has had; a new slice starts above it.
SELECT max(fence) AS fence FROM (
  SELECT max(fence) AS fence FROM outcomes WHERE job_id = :job_id AND seq BETWEEN :first_seq AND :last_seq
  UNION ALL SELECT max(fence) FROM runs WHERE job_id = :job_id AND first_seq BETWEEN :first_seq AND :last_seq
  UNION ALL SELECT max(fence) FROM lapses WHERE job_id = :job_id AND first_seq BETWEEN :first_seq AND :last_seq
  UNION ALL SELECT max(fence) FROM slices WHERE job_id = :job_id AND first_seq BETWEEN :first_seq AND :last_seq) f
