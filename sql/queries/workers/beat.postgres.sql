-- Renew the lease: one HOT update however many slices are held. No row: the lease was lost, and is never extended.
UPDATE workers SET lease_until = clock_timestamp() + :lease, seen_at = clock_timestamp(), draining = :draining
WHERE incarnation = :worker AND lease_until > clock_timestamp() RETURNING incarnation
