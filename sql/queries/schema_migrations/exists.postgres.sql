SELECT 1 AS found WHERE to_regclass('schema_migrations') IS NOT NULL
