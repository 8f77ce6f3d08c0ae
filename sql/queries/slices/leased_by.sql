-- What the database says a worker holds; it frees what it does not know (a claim whose reply was lost).
SELECT job_id, first_seq, fence FROM slices WHERE state = 1 AND worker = :worker
