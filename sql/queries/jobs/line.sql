-- What a line of a job came to, and how far its source was read: one statement, so that no chunk commits in between.
SELECT j.line AS read_to, j.sealed_at, i.seq AS item_seq, d.kind, d.first_line, d.holder_job_id, d.holder_seq,
  r.line, r.byte_offset, r.code, r.pointer, r.message, r.raw, r.raw_cut
FROM jobs j
LEFT JOIN items i ON i.job_id = :job_id AND i.seq = :line
LEFT JOIN rejects r ON r.job_id = :job_id AND r.line = :line
LEFT JOIN duplicates d ON d.job_id = :job_id AND d.last_line >= :line
  AND d.first_line = (SELECT max(c.first_line) FROM duplicates c WHERE c.job_id = :job_id AND c.first_line <= :line)
WHERE j.id = :job_id
