-- The same of batches, slices, lapses and runs (see jobs.sql).

-- batch_totals {"job": "done", "batch": 2, "total": 6, "item_rows": 5}
UPDATE batches SET total = total + 1 WHERE job_id = {done} AND number = 2;

-- batch_counters {"job": "done", "batch": 1, "skipped": 2, "recounted_skipped": 1}
UPDATE batches SET succeeded = succeeded - 1, skipped = skipped + 1 WHERE job_id = {done} AND number = 1;

-- batch_counters {"job": "done", "batch": 2, "cancelled": 0, "recounted_cancelled": 4}
UPDATE runs SET status = 'cancelled' WHERE job_id = {done} AND first_seq = 11;

-- batch_counters {"job": "done", "batch": 1, "recounted_succeeded": 10, "recounted_skipped": 0}
DELETE FROM outcomes WHERE job_id = {done} AND seq = 2;

-- batches_do_not_overlap {"job": "done", "batch": 2, "reached_before": 11}
UPDATE batches SET last_seq = 11 WHERE job_id = {done} AND number = 1;

-- batches_end_with_their_slices {"job": "running", "batch": 1, "slices": 3}
UPDATE batches SET completed_at = clock_timestamp() WHERE job_id = {running} AND number = 1;

-- batches_end_with_their_slices {"job": "done", "batch": 1, "slices": 0, "completed_at": null}
UPDATE batches SET completed_at = NULL WHERE job_id = {done} AND number = 1;

-- slices_do_not_overlap {"job": "running", "first_seq": 5, "reached_before": 5}
UPDATE slices SET last_seq = 5 WHERE job_id = {running} AND first_seq = 1;

-- slices_lie_in_their_batch {"job": "running", "first_seq": 1, "batch": 2}
UPDATE slices SET batch = 2 WHERE job_id = {running} AND first_seq = 1;

-- slices_lie_in_their_batch {"job": "running", "first_seq": 1, "batch_first_seq": null}
UPDATE slices SET batch = 9 WHERE job_id = {running} AND first_seq = 1;

-- slice_open_is_true {"job": "running", "first_seq": 11, "open": 3, "open_items": 2}
UPDATE slices SET open = 3 WHERE job_id = {running} AND first_seq = 11;

-- slice_open_is_true {"job": "running", "first_seq": 1, "open": 2, "open_items": 1}
UPDATE slices SET open = 2 WHERE job_id = {running} AND first_seq = 1;

-- slice_states_have_their_columns {"job": "running", "first_seq": 9, "worker": "w"}
UPDATE slices SET worker = 'w' WHERE job_id = {running} AND first_seq = 9;

-- slice_states_have_their_columns {"job": "running", "first_seq": 1, "state": 2}
UPDATE slices SET available_at = NULL WHERE job_id = {running} AND state = 2;

-- slice_states_have_their_columns {"job": "running", "first_seq": 5, "running_seq": 99}
UPDATE slices SET running_seq = 99 WHERE job_id = {running} AND state = 1;

-- slice_ordinals_are_unique {"job": "running", "first_seq": 9, "ordinal": 1}
UPDATE slices SET ordinal = 1 WHERE job_id = {running} AND first_seq = 9;

-- slice_ordinals_are_unique {"job": "running", "first_seq": 11, "ordinal": 3}
UPDATE jobs SET slices_cut = 3 WHERE id = {running};

-- slice_fences_are_above_the_past {"job": "running", "first_seq": 1, "fence": 0, "outcome_fence": 1, "run_fence": 1}
UPDATE slices SET fence = 0 WHERE job_id = {running} AND first_seq = 1;

-- slice_fences_are_above_the_past {"job": "reopened", "first_seq": 2, "earlier_run_fence": 1}
UPDATE slices SET fence = 1 WHERE job_id = {reopened} AND first_seq = 2;

-- slice_fences_are_above_the_past {"job": "suspect", "first_seq": 1, "lapse_fence": 1}
UPDATE slices SET fence = 1 WHERE job_id = {suspect};

-- open_items_have_a_slice {"job": "running", "batch": 1, "seq": 9, "open_items": 3}
DELETE FROM slices WHERE job_id = {running} AND first_seq = 9;

-- open_items_have_a_slice {"job": "running", "batch": 1, "seq": 2}
DELETE FROM slices WHERE job_id = {running} AND first_seq = 1;

-- unsettled_slices_have_no_run {"job": "reopened", "first_seq": 2}
UPDATE slices SET settles = 0 WHERE job_id = {reopened} AND first_seq = 2;

-- waiting_slices_wake_in_time {"job": "running", "first_seq": 1, "retrying": 1}
UPDATE outcomes SET next_attempt_at = finished_at WHERE job_id = {running} AND seq = 2;

-- waiting_slices_wake_in_time {"job": "running", "first_seq": 1, "open": 2}
UPDATE slices SET open = 2 WHERE job_id = {running} AND first_seq = 1;

-- due_slices_become_ready {"job": "running", "first_seq": 1, "state": 2}
UPDATE workers SET started_at = started_at + :ago;
UPDATE slices SET available_at = available_at + :ago WHERE job_id = {running} AND state = 2;

-- due_slices_become_ready {"job": "strict", "first_seq": 1, "state": 3}
UPDATE workers SET started_at = started_at + :ago;
UPDATE jobs SET sealed_at = sealed_at + :ago WHERE id = {strict};

-- leased_slices_have_a_worker {"job": "running", "first_seq": 5}
DELETE FROM workers WHERE incarnation = (SELECT worker FROM slices WHERE job_id = {running} AND state = 1);

-- leases_are_recovered {"job": "running", "first_seq": 5}
UPDATE workers SET started_at = started_at + :ago;
UPDATE workers SET lease_until = lease_until + :ago WHERE incarnation = (SELECT worker FROM slices WHERE job_id = {running} AND state = 1);

-- lapses_are_on_record {"job": "suspect", "first_seq": 1, "lapses": 1, "lapse_rows": 0}
DELETE FROM lapses WHERE job_id = {suspect};

-- lapses_lie_in_a_batch {"job": "suspect", "first_seq": 1, "running_seq": 99}
UPDATE lapses SET running_seq = 99 WHERE job_id = {suspect};

-- lapses_lie_in_a_batch {"job": "suspect", "first_seq": 1, "batch_last_seq": 4}
UPDATE lapses SET last_seq = 5 WHERE job_id = {suspect};

-- runs_do_not_overlap {"job": "done", "first_seq": 5, "reached_before": 5}
UPDATE runs SET last_seq = 5 WHERE job_id = {done} AND first_seq = 1;

-- runs_lie_in_a_batch {"job": "done", "first_seq": 9, "batch_last_seq": 10}
UPDATE runs SET last_seq = 11 WHERE job_id = {done} AND first_seq = 9;

-- runs_lie_in_a_batch {"job": "done", "first_seq": 15, "first_item": null}
DELETE FROM items WHERE job_id = {done} AND seq > 14;

-- run_arrays_fit_their_range {"job": "done", "first_seq": 1}
UPDATE runs SET results = '[1]' WHERE job_id = {done} AND first_seq = 1;

-- run_arrays_fit_their_range {"job": "done", "first_seq": 5}
UPDATE runs SET durations_us = 'no JSON' WHERE job_id = {done} AND first_seq = 5;
