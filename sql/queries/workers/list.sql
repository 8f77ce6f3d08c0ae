SELECT incarnation, lease_until, host, pid, roles, started_at, seen_at, draining, clock_timestamp() AS now_at
FROM workers ORDER BY started_at, incarnation
