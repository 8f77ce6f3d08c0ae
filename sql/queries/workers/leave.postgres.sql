-- A clean stop: the lease ends now.
UPDATE workers SET lease_until = clock_timestamp(), seen_at = clock_timestamp(), draining = true WHERE incarnation = :worker
