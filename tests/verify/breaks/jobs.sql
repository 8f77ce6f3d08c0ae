-- Each block breaks what one check says must hold of jobs and lines, and names what the offending row has.
-- {name} is the id of a job of tests/support/filling.py; "only" is the one database where it can be written at all.

-- migrations_are_ours {"version": 1, "checksum": "edited"}
UPDATE schema_migrations SET checksum = 'edited' WHERE version = 1;

-- migrations_are_ours {"version": 1, "checksum": null}
DELETE FROM schema_migrations WHERE version = 1;

-- migrations_are_ours {"version": 99, "expected_checksum": null}
INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES (99, 'x', 'x', clock_timestamp());

-- lines_add_up {"job": "done", "lines": 14}
UPDATE jobs SET lines = lines - 1 WHERE id = {done};

-- lines_add_up {"job": "resent", "reject_rows": 0}
DELETE FROM rejects WHERE job_id = {resent};

-- lines_add_up {"job": "resent", "duplicate_lines": 4}
UPDATE duplicates SET last_line = 2 WHERE job_id = {resent} AND first_line = 1;

-- lines_add_up {"job": "done", "item_rows": 14}
DELETE FROM items WHERE job_id = {done} AND seq = 3;

-- lines_are_in_one_place {"job": "done", "line": 3, "places": "item, reject"}
INSERT INTO rejects (job_id, line, byte_offset, code, message, raw, raw_cut)
  SELECT {done}, 3, byte_offset, code, message, raw, raw_cut FROM rejects WHERE job_id = {resent} AND line = 8;

-- lines_are_in_one_place {"job": "done", "line": 5, "places": "item, duplicate"}
INSERT INTO duplicates VALUES ({done}, 5, 7, {done}, 1, 'duplicate');

-- lines_are_in_one_place {"job": "resent", "line": 8, "places": "duplicate, reject"}
INSERT INTO duplicates VALUES ({resent}, 8, 8, {done}, 1, 'duplicate');

-- lines_are_in_one_place {"job": "resent", "line": 4, "places": "duplicate, duplicate"}
UPDATE duplicates SET last_line = 4 WHERE job_id = {resent} AND first_line = 1;

-- lines_are_in_one_place {"job": "done", "line": 15, "places": "beyond what was read"}
UPDATE jobs SET line = 2 WHERE id = {done};

-- staging_rows_move_once {"job": "staged", "seq": 2, "fault": "still there"}
INSERT INTO pending_work (id, job_type, idempotency_key, payload, created_at)
  SELECT i.source_row_id, 'mail', i.idempotency_key, i.payload, j.created_at
  FROM items i JOIN jobs j ON j.id = i.job_id WHERE i.job_id = {staged} AND i.seq = 2;

-- staging_rows_move_once {"job": "staged", "seq": 1, "fault": "no row named"}
UPDATE items SET source_row_id = NULL WHERE job_id = {staged} AND seq = 1;

-- staging_rows_move_once {"job": "staged", "seq": 3, "fault": "moved twice"}
UPDATE items SET source_row_id = source_row_id - 1 WHERE job_id = {staged} AND seq = 3;

-- duplicates_have_a_holder {"job": "resent", "first_line": 1, "holders": 2}
UPDATE duplicates SET holder_seq = 14 WHERE job_id = {resent} AND first_line = 1;
UPDATE duplicates SET last_line = first_line + 2 WHERE job_id = {resent} AND first_line = 1;

-- rows_have_their_job {"job_id": 9999, "kind": "event", "place": 1}
INSERT INTO events (job_id, round, status) VALUES (9999, 1, 'completed');

-- rows_have_their_job {"job_id": 9999, "kind": "duplicate", "place": 5}
INSERT INTO duplicates VALUES (9999, 5, 7, {done}, 1, 'duplicate');

-- job_counters {"job": "done"}
UPDATE jobs SET succeeded = succeeded + 1 WHERE id = {done};

-- job_counters {"job": "running", "batches_open": 1}
UPDATE jobs SET batches_open = 1 WHERE id = {running};

-- job_counters {"job": "done"}
UPDATE batches SET number = 7 WHERE job_id = {done} AND number = 2;

-- jobs_end_when_all_is_done {"job": "done", "ended_at": null}
UPDATE jobs SET ended_at = NULL WHERE id = {done};

-- jobs_end_when_all_is_done {"job": "running", "batches_open": 2}
UPDATE jobs SET ended_at = clock_timestamp() WHERE id = {running};

-- jobs_do_not_end_before_they_begin {"job": "done"}
UPDATE jobs SET ended_at = ended_at + :ago WHERE id = {done};

-- ended_jobs_are_sealed {"job": "done"}
UPDATE jobs SET sealed_at = NULL WHERE id = {done};

-- ended_jobs_are_sealed {"job": "stopping"}
UPDATE jobs SET sealed_at = NULL WHERE id = {stopping};

-- ended_jobs_are_sealed {"job": "done"}
UPDATE jobs SET ingest_worker = 'w' WHERE id = {done};

-- ended_rounds_have_an_event {"job": "redriven", "events": 1, "ended_rounds": 2}
DELETE FROM events WHERE job_id = {redriven} AND round = 1;

-- ended_rounds_have_an_event {"job": "reopened", "events": 2, "ended_rounds": 1}
INSERT INTO events (job_id, round, status) VALUES ({reopened}, 2, 'completed');

-- ended_rounds_have_an_event {"job": "done", "event_status": "failed"}
UPDATE events SET status = 'failed' WHERE job_id = {done};
