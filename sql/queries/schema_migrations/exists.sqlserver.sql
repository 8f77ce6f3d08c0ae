SELECT 1 AS found WHERE OBJECT_ID('schema_migrations', 'U') IS NOT NULL
