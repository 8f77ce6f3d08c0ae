-- I22: A slice lies in the batch that it names.
SELECT s.job_id, s.first_seq, s.last_seq, s.batch, b.first_seq AS batch_first_seq, b.last_seq AS batch_last_seq
FROM slices s LEFT JOIN batches b ON b.job_id = s.job_id AND b.number = s.batch
WHERE b.number IS NULL OR s.first_seq < b.first_seq OR s.last_seq > b.last_seq ORDER BY s.job_id, s.first_seq LIMIT :limit
