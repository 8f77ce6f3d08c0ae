-- What keeps dead rows from being removed: old transactions, prepared ones, replication slots. Never a query's text.
SELECT 'session' AS kind, pid::text AS name, coalesce(application_name, '') AS whose, state,
  extract(epoch FROM clock_timestamp() - xact_start)::double precision AS seconds
FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_xmin IS NOT NULL AND xact_start IS NOT NULL
  AND xact_start + :age < clock_timestamp()
UNION ALL
SELECT 'prepared transaction', gid, owner::text, 'prepared', extract(epoch FROM clock_timestamp() - prepared)::double precision
FROM pg_prepared_xacts WHERE database = current_database() AND prepared + :age < clock_timestamp()
UNION ALL
SELECT 'replication slot', slot_name::text, coalesce(plugin::text, 'physical'), CASE WHEN active THEN 'active' ELSE 'inactive' END, NULL
FROM pg_replication_slots WHERE NOT active AND (xmin IS NOT NULL OR catalog_xmin IS NOT NULL)
ORDER BY 5 DESC NULLS LAST LIMIT 20
