-- I24: The arrays of a run are JSON with one place for each seq of its range.
SELECT job_id, first_seq, last_seq FROM (
  SELECT job_id, first_seq, last_seq, last_seq - first_seq + 1 AS places,
    CASE WHEN results IS NULL THEN NULL WHEN json_valid(results) THEN json_array_length(results) ELSE -1 END AS results,
    CASE WHEN start_offsets_us IS NULL THEN NULL WHEN json_valid(start_offsets_us) THEN json_array_length(start_offsets_us) ELSE -1 END AS offsets,
    CASE WHEN durations_us IS NULL THEN NULL WHEN json_valid(durations_us) THEN json_array_length(durations_us) ELSE -1 END AS durations
  FROM runs) r
WHERE results <> places OR offsets <> places OR durations <> places ORDER BY job_id, first_seq LIMIT :limit
