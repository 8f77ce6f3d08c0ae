-- How many rows our tables have. Old versions are removed by the server itself; none stand here as dead.
SELECT t.name, SUM(p.rows) AS live, CAST(0 AS bigint) AS dead, CAST(NULL AS bigint) AS bytes
FROM sys.tables t JOIN sys.partitions p ON p.object_id = t.object_id
WHERE p.index_id IN (0, 1) AND t.schema_id = SCHEMA_ID() GROUP BY t.name ORDER BY t.name
