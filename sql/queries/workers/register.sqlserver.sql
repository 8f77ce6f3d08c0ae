INSERT INTO workers (incarnation, lease_until, host, pid, roles, started_at, seen_at)
VALUES (:worker, DATEADD(MICROSECOND, :lease % 1000000, DATEADD(SECOND, :lease / 1000000, SYSUTCDATETIME())), :host, :pid, :roles,
  SYSUTCDATETIME(), SYSUTCDATETIME())
