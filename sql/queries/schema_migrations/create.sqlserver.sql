IF OBJECT_ID('schema_migrations', 'U') IS NULL
  CREATE TABLE schema_migrations (
    version int PRIMARY KEY,
    name nvarchar(200) NOT NULL,
    checksum nvarchar(100) NOT NULL,
    applied_at datetime2(6) NOT NULL
  )
