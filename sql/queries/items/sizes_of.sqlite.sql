-- How large the payloads of some items are, so that whoever reads them can bound what it holds at a time.
SELECT seq, length(CAST(payload AS BLOB)) AS bytes FROM items
WHERE job_id = :job_id AND seq IN (SELECT value FROM json_each(:seqs)) ORDER BY seq
