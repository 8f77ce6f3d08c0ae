-- I5: The first settle of a slice writes its run: no run reaches into a slice that was never settled.
WITH met AS MATERIALIZED (  -- runs are disjoint: one that starts inside, or the last that starts before
  SELECT s.job_id, s.first_seq, s.last_seq, coalesce(
    (SELECT min(r.first_seq) FROM runs r WHERE r.job_id = s.job_id AND r.first_seq BETWEEN s.first_seq AND s.last_seq),
    (SELECT r.first_seq FROM runs r WHERE r.job_id = s.job_id AND r.last_seq >= s.first_seq AND r.first_seq = (
       SELECT max(c.first_seq) FROM runs c WHERE c.job_id = s.job_id AND c.first_seq < s.first_seq))) AS run_first_seq
  FROM slices s WHERE s.settles = 0
)
SELECT * FROM met WHERE run_first_seq IS NOT NULL ORDER BY job_id, first_seq LIMIT :limit
