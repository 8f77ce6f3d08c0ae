-- A worker that lost its lease says that it lives: what it lost was no crash.
UPDATE workers SET seen_at = clock_timestamp() WHERE incarnation = :worker
