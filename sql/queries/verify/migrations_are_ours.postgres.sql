-- I23: The schema's migrations are those of this program, contiguous, with equal checksums.
SELECT coalesce(a.version, o.version) AS version, a.name, a.checksum, o.checksum AS expected_checksum
FROM unnest(:migrations.version::integer[], :migrations.checksum::text[]) AS o (version, checksum)
FULL JOIN schema_migrations a ON a.version = o.version
WHERE a.checksum IS DISTINCT FROM o.checksum ORDER BY 1 LIMIT :limit
