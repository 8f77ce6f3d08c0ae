DECLARE @emptied TABLE (seq bigint);
UPDATE i SET payload = 0x
OUTPUT inserted.seq INTO @emptied
FROM OPENJSON(:seqs) WITH (seq bigint '$') u JOIN items i ON i.job_id = :job_id AND i.seq = u.seq;
-- then
SELECT seq FROM @emptied
