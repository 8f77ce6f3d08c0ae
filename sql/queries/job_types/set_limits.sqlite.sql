-- Change what is asked for, and leave the rest; another rate begins with a fresh account.
UPDATE job_types SET
  paused_at = CASE WHEN NOT CAST(:sets_paused AS boolean) THEN paused_at
    WHEN CAST(:paused AS boolean) THEN coalesce(paused_at, clock_timestamp()) END,
  max_concurrency = CASE WHEN CAST(:sets_max_concurrency AS boolean) THEN CAST(:max_concurrency AS integer) ELSE max_concurrency END,
  rate = CASE WHEN CAST(:sets_rate AS boolean) THEN CAST(:rate AS double precision) ELSE rate END,
  spent_until = CASE WHEN CAST(:sets_rate AS boolean) THEN NULL ELSE spent_until END
WHERE name = :name RETURNING id, name, paused_at, max_concurrency, rate
