-- How much of our tables is dead.
SELECT s.relname AS name, s.n_live_tup AS live, s.n_dead_tup AS dead, pg_total_relation_size(s.relid) AS bytes
FROM pg_stat_user_tables s WHERE s.schemaname = current_schema() ORDER BY s.relname
