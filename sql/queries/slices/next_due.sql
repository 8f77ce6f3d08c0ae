-- When the earliest waiting slice comes due, by the database's clock.
SELECT min(available_at) AS due_at, clock_timestamp() AS now_at FROM slices WHERE state = 2
