-- I24: The arrays of a run are JSON with one place for each seq of its range.
SELECT job_id, first_seq, last_seq FROM (
  SELECT job_id, first_seq, last_seq, last_seq - first_seq + 1 AS places,
    CASE WHEN results IS NULL THEN NULL WHEN results IS JSON ARRAY THEN json_array_length(results::json) ELSE -1 END AS results,
    CASE WHEN start_offsets_us IS NULL THEN NULL WHEN start_offsets_us IS JSON ARRAY THEN json_array_length(start_offsets_us::json) ELSE -1 END AS offsets,
    CASE WHEN durations_us IS NULL THEN NULL WHEN durations_us IS JSON ARRAY THEN json_array_length(durations_us::json) ELSE -1 END AS durations
  FROM runs) r
WHERE results <> places OR offsets <> places OR durations <> places ORDER BY job_id, first_seq LIMIT :limit
