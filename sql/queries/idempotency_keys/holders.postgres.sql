-- Who holds these keys: one walk along the index for all of them (one descent a key before PostgreSQL 17). The array
-- is a subquery, so that no plan, generic or not, knows how long it is: ten keys are assumed, and the index is taken.
SELECT k.key, k.job_id, k.seq, k.payload_hash
FROM idempotency_keys k
WHERE k.job_type_id = :job_type_id AND k.key = ANY (ARRAY(SELECT unnest(:keys::text[])))
