-- Take :items starts out of the account of a job: at its rate they fill the time up to `spent_until`. What was not
-- used is kept for :credit at most. No row: there is no rate.
UPDATE jobs SET spent_until = coalesce(max(spent_until, clock_timestamp() - :credit), clock_timestamp())
  + CAST(:items * 1000000.0 / rate AS INTEGER)
WHERE id = :id AND rate IS NOT NULL RETURNING spent_until, rate, clock_timestamp() AS now_at
