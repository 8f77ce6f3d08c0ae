-- I23: The schema's migrations are those of this program, contiguous, with equal checksums.
SELECT COALESCE(a.version, o.version) AS version, a.name, a.checksum, o.checksum AS expected_checksum
FROM OPENJSON(:migrations) WITH (version int, checksum nvarchar(100)) o
FULL JOIN schema_migrations a ON a.version = o.version
WHERE a.checksum IS NULL OR o.checksum IS NULL OR a.checksum <> o.checksum
ORDER BY COALESCE(a.version, o.version) OFFSET 0 ROWS FETCH NEXT :limit ROWS ONLY
