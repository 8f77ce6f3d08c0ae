-- I4: The fence of a slice is above that of every run and lapse of its range, and no lower than that of any outcome.
WITH pasts AS MATERIALIZED (
  SELECT s.job_id, s.first_seq, s.fence,
    (SELECT max(o.fence) FROM outcomes o WHERE o.job_id = s.job_id AND o.seq BETWEEN s.first_seq AND s.last_seq) AS outcome_fence,
    (SELECT max(r.fence) FROM runs r WHERE r.job_id = s.job_id AND r.first_seq BETWEEN s.first_seq AND s.last_seq) AS run_fence,
    (SELECT max(r.fence) FROM runs r WHERE r.job_id = s.job_id AND r.last_seq >= s.first_seq AND r.first_seq = (
       SELECT max(c.first_seq) FROM runs c WHERE c.job_id = s.job_id AND c.first_seq < s.first_seq)) AS earlier_run_fence,
    (SELECT max(l.fence) FROM lapses l WHERE l.job_id = s.job_id AND l.first_seq BETWEEN s.first_seq AND s.last_seq) AS lapse_fence
  FROM slices s
)
SELECT * FROM pasts
WHERE outcome_fence > fence OR run_fence >= fence OR earlier_run_fence >= fence OR lapse_fence >= fence
ORDER BY job_id, first_seq LIMIT :limit
