-- Workers by incarnation; `alive` is by the database's clock. What ended long ago is pruned, so a page is short.
SELECT incarnation, lease_until, host, pid, roles, started_at, seen_at, draining,
  CASE WHEN lease_until > clock_timestamp() THEN 1 ELSE 0 END AS alive
FROM workers
WHERE incarnation > :after AND (:state = 'all' OR CASE WHEN lease_until > clock_timestamp() THEN 'alive' ELSE 'gone' END = :state)
ORDER BY incarnation LIMIT :limit
