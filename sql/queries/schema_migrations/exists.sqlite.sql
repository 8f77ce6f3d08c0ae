SELECT 1 AS found FROM sqlite_master WHERE type = 'table' AND name = 'schema_migrations'
