-- How large the payloads of some items are, so that whoever reads them can bound what it holds at a time.
SELECT i.seq, DATALENGTH(i.payload) AS bytes FROM OPENJSON(:seqs) WITH (seq bigint '$') u
JOIN items i ON i.job_id = :job_id AND i.seq = u.seq ORDER BY i.seq
