-- A worker whose process is known to be dead: its lease ends now. `seen_at` stays, so that its lapses are crashes.
UPDATE workers SET lease_until = clock_timestamp() WHERE incarnation = :worker AND lease_until > clock_timestamp()
