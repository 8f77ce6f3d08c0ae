SELECT line, byte_offset, code, pointer, message, raw, raw_cut FROM rejects
WHERE job_id = :job_id AND line > :after ORDER BY line LIMIT :limit
