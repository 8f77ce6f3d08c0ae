-- Since when the earliest retry that is not promoted is due.
SELECT min(available_at) AS due_at, clock_timestamp() AS now_at FROM slices WHERE state = 2
