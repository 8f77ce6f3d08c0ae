-- A clean stop: the lease ends now.
UPDATE workers SET lease_until = SYSUTCDATETIME(), seen_at = SYSUTCDATETIME(), draining = 1 WHERE incarnation = :worker
