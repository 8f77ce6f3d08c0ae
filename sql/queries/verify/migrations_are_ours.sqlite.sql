-- I23: The schema's migrations are those of this program, contiguous, with equal checksums.
SELECT version, name, checksum, expected_checksum FROM (
  SELECT o.value ->> 'version' AS version, a.name, a.checksum, o.value ->> 'checksum' AS expected_checksum
  FROM json_each(:migrations) o LEFT JOIN schema_migrations a ON a.version = o.value ->> 'version'
  UNION ALL
  SELECT a.version, a.name, a.checksum, NULL FROM schema_migrations a
  WHERE a.version NOT IN (SELECT o.value ->> 'version' FROM json_each(:migrations) o)) m
WHERE checksum IS NULL OR checksum IS NOT expected_checksum ORDER BY version LIMIT :limit
