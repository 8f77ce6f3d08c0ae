-- Take :items starts out of the account of a job: at its rate they fill the time up to `spent_until`. What was not
-- used is kept for :credit at most. No row: there is no rate.
UPDATE jobs SET spent_until = greatest(spent_until, clock_timestamp() - CASE WHEN spent_until IS NULL THEN interval '0' ELSE :credit::interval END)
  + :items::double precision / rate * interval '1 second'
WHERE id = :id AND rate IS NOT NULL RETURNING spent_until, rate, clock_timestamp() AS now_at
