-- The server's version, and the settings of this database that bite.
SELECT 'engine' AS name, 'SQL Server' AS value
UNION ALL SELECT 'server_version', CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(100))
UNION ALL SELECT 'edition', CAST(SERVERPROPERTY('Edition') AS nvarchar(100))
UNION ALL SELECT 'updateability', CAST(DATABASEPROPERTYEX(DB_NAME(), 'Updateability') AS nvarchar(100))
UNION ALL SELECT 'read_committed_snapshot', CASE WHEN d.is_read_committed_snapshot_on = 1 THEN 'on' ELSE 'off' END
  FROM sys.databases d WHERE d.name = DB_NAME()
