-- I24: The arrays of a run are JSON with one place for each seq of its range.
SELECT job_id, first_seq, last_seq FROM (
  SELECT r.job_id, r.first_seq, r.last_seq, r.last_seq - r.first_seq + 1 AS places,
    CASE WHEN r.results IS NULL THEN NULL WHEN ISJSON(r.results) = 1 THEN (SELECT COUNT(*) FROM OPENJSON(r.results)) ELSE -1 END AS results,
    CASE WHEN r.start_offsets_us IS NULL THEN NULL WHEN ISJSON(r.start_offsets_us) = 1
      THEN (SELECT COUNT(*) FROM OPENJSON(r.start_offsets_us)) ELSE -1 END AS starts,
    CASE WHEN r.durations_us IS NULL THEN NULL WHEN ISJSON(r.durations_us) = 1
      THEN (SELECT COUNT(*) FROM OPENJSON(r.durations_us)) ELSE -1 END AS durations
  FROM runs r) n
WHERE results <> places OR starts <> places OR durations <> places
ORDER BY job_id, first_seq OFFSET 0 ROWS FETCH NEXT :limit ROWS ONLY
