-- The same of items, keys, outcomes and attempts (see jobs.sql).

-- items_lie_in_a_batch {"job": "done", "seq": 99}
INSERT INTO items (job_id, seq, idempotency_key, payload) VALUES ({done}, 99, 'k', '{}');

-- items_lie_in_a_batch {"job_id": 9999, "seq": 1}
INSERT INTO items (job_id, seq, idempotency_key, payload) VALUES (9999, 1, 'k', '{}');

-- items_lie_in_a_batch {"job": "done", "seq": 10}
UPDATE batches SET last_seq = 9 WHERE job_id = {done} AND number = 1;

-- payloads_are_kept {"job": "done", "seq": 1}
UPDATE items SET payload = '' WHERE job_id = {done} AND seq = 1;

-- purged_items_are_empty {"job": "purged", "seq": 2}
UPDATE items SET payload = '{}' WHERE job_id = {purged} AND seq = 2;

-- keys_name_their_item {"job": "done", "seq": 99, "key_of_item": null}
UPDATE idempotency_keys SET seq = 99 WHERE job_id = {done} AND seq = 1;

-- keys_name_their_item {"job": "done", "seq": 2, "key": "done/1", "key_of_item": "done/2"}
UPDATE idempotency_keys SET seq = 2 WHERE job_id = {done} AND seq = 1;

-- keys_name_their_item {"job_id": 9999, "seq": 1, "job_type_of_job": null}
UPDATE idempotency_keys SET job_id = 9999 WHERE job_id = {done} AND seq = 1;

-- replaced_items_stay_ended {"job": "done", "seq": 1, "holder_seq": null}
DELETE FROM idempotency_keys WHERE job_id = {done} AND seq = 1;

-- replaced_items_stay_ended {"job": "letters", "seq": 1, "status": "succeeded"}
UPDATE outcomes SET status = 'succeeded', reason = NULL WHERE job_id = {letters} AND seq = 1;

-- replaced_items_stay_ended {"job": "running", "seq": 11, "status": "pending"}
UPDATE idempotency_keys SET job_id = {mended}, seq = 1 WHERE job_id = {running} AND seq = 11;

-- replaced_items_stay_ended {"job": "stopping", "seq": 1, "status": "pending"}
UPDATE idempotency_keys SET job_id = {mended}, seq = 1 WHERE job_id = {stopping} AND seq = 1;

-- replaced_items_stay_ended {"job": "letters", "seq": 1, "status": "dead"}
UPDATE batches SET created_at = created_at + :ago WHERE job_id = {mended};

-- outcomes_have_an_item {"job": "done", "seq": 99}
INSERT INTO outcomes (job_id, seq, status, reason, attempts, max_attempts, fence, finished_at, error)
  VALUES ({done}, 99, 'dead', 'permanent', 1, 3, 1, clock_timestamp(), 'no');

-- outcomes_are_the_last_word {"job": "letters", "seq": 5, "attempt_fence": 99}
UPDATE attempts SET fence = 99 WHERE job_id = {letters} AND seq = 5;

-- outcomes_are_the_last_word {"job": "letters", "seq": 5, "status": "succeeded"}
UPDATE outcomes SET status = 'succeeded', reason = NULL WHERE job_id = {letters} AND seq = 5;

-- outcome_states_have_their_columns {"job": "running", "seq": 2, "status": "retrying"}
UPDATE outcomes SET next_attempt_at = NULL WHERE job_id = {running} AND seq = 2;

-- outcome_states_have_their_columns {"job": "letters", "seq": 5, "status": "dead"}
UPDATE outcomes SET reason = NULL WHERE job_id = {letters} AND seq = 5;

-- outcome_states_have_their_columns {"job": "done", "seq": 2, "status": "skipped"}
UPDATE outcomes SET purged_at = clock_timestamp() WHERE job_id = {done} AND seq = 2;

-- plain_successes_stay {"job": "done", "seq": 1, "run_fence": 1}
INSERT INTO outcomes (job_id, seq, status, reason, attempts, max_attempts, fence, finished_at, error)
  VALUES ({done}, 1, 'dead', 'permanent', 1, 3, 9, clock_timestamp(), 'no');

-- dead_letters_have_an_error {"job": "letters", "seq": 5, "error": ""}
UPDATE outcomes SET error = '' WHERE job_id = {letters} AND seq = 5;

-- dead_letters_have_an_error {"job": "letters", "seq": 5, "error": null}
UPDATE outcomes SET error = NULL WHERE job_id = {letters} AND seq = 5;

-- crashed_items_were_named {"job": "crashed", "seq": 2}
UPDATE lapses SET running_seq = NULL WHERE job_id = {crashed};

-- errors_are_storable {"job": "letters", "seq": 5, "what": "outcome"}
UPDATE outcomes SET error = :long WHERE job_id = {letters} AND seq = 5;

-- errors_are_storable {"job": "letters", "seq": 5, "what": "attempt"}
UPDATE attempts SET code = :long WHERE job_id = {letters} AND seq = 5;

-- errors_are_storable {"job": "letters", "seq": 5, "what": "outcome", "only": "sqlite"}
UPDATE outcomes SET error = 'a' || char(0) WHERE job_id = {letters} AND seq = 5;

-- attempts_within_allowed {"job": "running", "seq": 2, "status": "retrying"}
UPDATE outcomes SET attempts = 3 WHERE job_id = {running} AND seq = 2;

-- attempts_within_allowed {"job": "letters", "seq": 2, "attempts": 3}
UPDATE outcomes SET max_attempts = 2 WHERE job_id = {letters} AND seq = 2;

-- attempts_are_dense {"job": "letters", "seq": 2, "logged": 2}
DELETE FROM attempts WHERE job_id = {letters} AND seq = 2 AND attempt = 2;

-- attempts_are_dense {"job": "letters", "seq": 5, "logged": 0}
DELETE FROM attempts WHERE job_id = {letters} AND seq = 5;

-- attempts_are_dense {"job": "letters", "seq": 5, "first_attempt": 7}
UPDATE attempts SET attempt = 7 WHERE job_id = {letters} AND seq = 5;

-- attempts_have_an_outcome {"job": "done", "seq": 1, "attempt": 1}
INSERT INTO attempts (job_id, seq, attempt, fence, started_at, ended_at)
  VALUES ({done}, 1, 1, 1, clock_timestamp(), clock_timestamp());

-- attempts_have_their_own_fence {"job": "letters", "seq": 2, "attempt": 2, "fence_before": 1}
UPDATE attempts SET fence = 1 WHERE job_id = {letters} AND seq = 2 AND attempt = 2;

-- attempts_follow_each_other {"job": "letters", "seq": 2, "attempt": 2}
UPDATE attempts SET started_at = started_at + :ago WHERE job_id = {letters} AND seq = 2 AND attempt = 2;

-- attempts_follow_each_other {"job": "redriven", "seq": 3, "attempt": 4}
UPDATE outcomes SET started_at = started_at + :ago, finished_at = finished_at + :ago WHERE job_id = {redriven} AND seq = 3;
