-- What keeps row versions (READ_COMMITTED_SNAPSHOT) and log alive: old transactions. Never a query's text. Who may not
-- see the server's state is told nothing.
IF HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE') = 1
  SELECT TOP (20) 'session' AS kind, CAST(s.session_id AS nvarchar(20)) AS name, COALESCE(s.program_name, '') AS whose,
    s.status AS state, CAST(DATEDIFF(SECOND, t.transaction_begin_time, SYSDATETIME()) AS float) AS seconds
  FROM sys.dm_tran_active_transactions t
  JOIN sys.dm_tran_session_transactions x ON x.transaction_id = t.transaction_id
  JOIN sys.dm_exec_sessions s ON s.session_id = x.session_id
  WHERE s.database_id = DB_ID() AND s.session_id <> @@SPID
    AND t.transaction_begin_time < DATEADD(SECOND, -(:age / 1000000), SYSDATETIME())
  ORDER BY t.transaction_begin_time
ELSE
  SELECT '' AS kind, '' AS name, '' AS whose, '' AS state, 0.0 AS seconds WHERE 1 = 0
