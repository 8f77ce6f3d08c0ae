-- How large the payloads of some items are, so that whoever reads them can bound what it holds at a time.
SELECT seq, octet_length(payload) AS bytes FROM items WHERE job_id = :job_id AND seq = ANY (:seqs::bigint[]) ORDER BY seq
