-- I6: Every lapse that a slice counts is on record.
WITH counted AS MATERIALIZED (
  SELECT s.job_id, s.first_seq, s.lapses, (SELECT count(*) FROM lapses l
    WHERE l.job_id = s.job_id AND l.first_seq = s.first_seq AND l.kind = 'lapsed') AS lapse_rows
  FROM slices s WHERE s.lapses > 0
)
SELECT * FROM counted WHERE lapses > lapse_rows ORDER BY job_id, first_seq LIMIT :limit
