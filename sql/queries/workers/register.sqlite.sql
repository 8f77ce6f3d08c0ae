INSERT INTO workers (incarnation, lease_until, host, pid, roles, started_at, seen_at)
VALUES (:worker, clock_timestamp() + :lease, :host, :pid, :roles, clock_timestamp(), clock_timestamp())
