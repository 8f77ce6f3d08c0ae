-- The server's version, the settings that bite, and how many of its connections are in use.
SELECT name, setting AS value FROM pg_settings
WHERE name IN ('server_version', 'server_version_num', 'fsync', 'full_page_writes', 'autovacuum', 'max_connections',
  'superuser_reserved_connections', 'default_transaction_read_only', 'server_encoding')
UNION ALL SELECT 'connections', count(*)::text FROM pg_stat_activity WHERE backend_type = 'client backend'
