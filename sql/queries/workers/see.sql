-- A worker that lost its lease says that it lives: what it lost, or will have lost when it is recovered, was no crash.
UPDATE workers SET lease_until = CASE WHEN lease_until > clock_timestamp() THEN clock_timestamp() ELSE lease_until END,
  seen_at = clock_timestamp() WHERE incarnation = :worker
