-- The payloads of a slice, a row each: read again where one of them does not validate.
SELECT seq, payload FROM items WHERE job_id = :job_id AND seq BETWEEN :first_seq AND :last_seq ORDER BY seq
