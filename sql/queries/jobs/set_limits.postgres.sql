-- Change what is asked for, and leave the rest; another rate begins with a fresh account.
UPDATE jobs SET priority = CASE WHEN CAST(:sets_priority AS boolean) THEN CAST(:priority AS integer) ELSE priority END,
  max_concurrency = CASE WHEN CAST(:sets_max_concurrency AS boolean) THEN CAST(:max_concurrency AS integer) ELSE max_concurrency END,
  rate = CASE WHEN CAST(:sets_rate AS boolean) THEN CAST(:rate AS double precision) ELSE rate END,
  spent_until = CASE WHEN CAST(:sets_rate AS boolean) THEN NULL ELSE spent_until END
WHERE id = :job_id AND ended_at IS NULL RETURNING id, priority, max_concurrency, rate
