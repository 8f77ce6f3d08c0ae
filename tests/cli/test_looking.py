"""What jobs, job, results, dead-letter, handlers, config, migrate, verify and ingest say."""

import asyncio
import json

import orjson
import pytest

from batchanator.store.store import Store, driver_for
from tests.cli.conftest import HANDLERS, line
from tests.contract.world import statement


def run_sql(url: str, text: str) -> None:
    async def run() -> None:
        store = Store(driver_for(url))
        await store.open()
        await store.session.fetch(statement(text))
        await store.close()

    asyncio.run(run())


@pytest.fixture
def done(invoke, write, database_url):
    """A database with job 1: succeeded, dead, reject, skipped, duplicate; and its URL as options."""
    path = write(line("a"), line("b", do="fail"), b"oops", line("c", do="skip"), line("a"))
    invoke("process", path, "--job-type", "demo", *HANDLERS, "--database", database_url)
    return ("--database", database_url)


def test_jobs_lists_and_filters(invoke, write, done):
    invoke("process", write(line("z")), "--job-type", "demo", *HANDLERS, *done, "--name", "second")
    listed = invoke("jobs", *done).stdout.splitlines()
    assert [row.split()[0] for row in listed] == ["Job", "2", "1"]
    completed = json.loads(invoke("jobs", *done, "--status", "completed", "--json").stdout)
    assert [(job["id"], job["name"]) for job in completed["data"]] == [(2, "second")]
    first = json.loads(invoke("jobs", *done, "--limit", "1", "--json").stdout)
    assert (first["hasMore"], first["next"]) == (True, 2)
    following = json.loads(invoke("jobs", *done, "--job-type", "demo", "--before", "2", "--json").stdout)
    assert [job["id"] for job in following["data"]] == [1]
    unknown = invoke("jobs", *done, "--job-type", "other")
    assert (unknown.exit_code, unknown.stderr.count("\n")) == (2, 1)


def test_job_shows_counts_errors_and_times(invoke, done):
    shown = invoke("job", 1, *done)
    assert shown.exit_code == 0
    for words in ("Job 1 partially completed", "created", "Rejected lines", "Dead letters", "refused"):
        assert words in shown.stdout
    watched = invoke("job", 1, *done, "--watch")
    assert watched.exit_code == 1


def test_results_come_in_input_order_with_what_can_be_sent_again(invoke, done, tmp_path):
    rows = [orjson.loads(text) for text in invoke("results", 1, *done).stdout.splitlines()]
    assert [(row["seq"], row["status"]) for row in rows] == [(1, "succeeded"), (2, "dead"), (4, "skipped")]
    assert rows[0]["result"] == {"did": "it"}
    assert rows[1]["input"] == {"idempotency_key": "b", "do": "fail"}
    assert rows[1]["error"]["code"] == "refused"
    assert rows[2]["skipReason"] == "nothing to do"
    told = invoke("results", 1, *done, "--status", "dead", "--output", "dead.ndjson")
    assert told.stderr == "1 line in dead.ndjson\n"
    assert orjson.loads((tmp_path / "dead.ndjson").read_bytes())["seq"] == 2
    assert not (tmp_path / "dead.ndjson.part").exists()


def test_an_unfinished_job_says_that_its_results_are_not_complete(invoke, write, database_url):
    database = ("--database", database_url)
    assert invoke("ingest", write(line("a")), "--job-type", "demo", *HANDLERS, *database).exit_code == 0
    result = invoke("results", 1, *database)
    assert orjson.loads(result.stdout)["status"] == "unprocessed"
    assert result.stderr.startswith("not complete: job 1")


def test_dead_letters_are_listed_replayed_and_purged(invoke, done):
    assert "it said \\x1b[31mno" in invoke("dead-letter", 1, *done).stdout
    assert orjson.loads(invoke("dead-letter", 1, *done, "--json").stdout)["seq"] == 2
    replayed = invoke("dead-letter", 1, "replay", *done)
    assert replayed.stderr == (
        "1 dead letter of job 1 will run again\n"
        "no worker is alive to run them: start batchanator serve, or send the file again with process --resume 1\n"
    )
    assert "Job 1 processing" in invoke("job", 1, *done).stdout


def test_a_dead_letter_that_was_sent_again_says_what_replaced_it(invoke, write, done):
    invoke("process", write(line("x"), line("b")), "--job-type", "demo", *HANDLERS, *done)
    listed = invoke("dead-letter", 1, *done).stdout
    assert "Replaced by" in listed
    assert "job 2 line 2" in listed
    replayed = invoke("dead-letter", 1, "replay", *done)
    assert replayed.stderr == "0 dead letters of job 1 will run again; left out: 1 sent again meanwhile\n"


def test_purged_dead_letters_stay_counted(invoke, done):
    assert invoke("dead-letter", 1, "purge", *done).stderr == "1 dead letter of job 1 purged\n"
    assert invoke("dead-letter", 1, *done).stdout == "job 1 has no dead letters; 1 were purged\n"
    assert invoke("verify", *done).exit_code == 0


def test_what_is_ingested_can_be_paused_resumed_and_cancelled(invoke, write, database_url):
    database = ("--database", database_url)
    ingested = invoke("ingest", write(line("a"), b"["), "--job-type", "demo", *HANDLERS, *database)
    assert ingested.exit_code == 0
    assert "Job 1 processing" in ingested.stdout
    assert invoke("pause", 1, *database).exit_code == 0
    assert "processing, paused" in invoke("jobs", *database).stdout
    assert invoke("resume", 1, *database).exit_code == 0
    assert "1 item will not run" in invoke("cancel", 1, *database).stderr
    again = invoke("cancel", 1, *database)
    assert (again.exit_code, again.stderr) == (1, "Error: job 1 has ended or is stopping already\n")


def test_staging_rows_are_ingested(invoke, database_url):
    database = ("--database", database_url)
    staging = ("ingest", "--from-staging", "--job-type", "demo", *HANDLERS, *database)
    nothing = invoke(*staging)
    assert (nothing.exit_code, nothing.stderr) == (0, "nothing is pending\n")
    run_sql(
        database_url,
        "INSERT INTO pending_work (job_type, idempotency_key, payload) VALUES ('demo', 'k', '{}')",
    )
    job = json.loads(invoke(*staging, "--json").stdout)
    assert (job["source"]["kind"], job["source"]["accepted"]) == ("database", 1)


def test_handlers_are_listed_with_how_they_run(invoke):
    found = json.loads(invoke("handlers", *HANDLERS, "--json").stdout)
    assert [(one["jobType"], one["runs"], one["sliceSize"]) for one in found] == [
        ("demo", "async", 50),
        ("gated", "thread", 2),
    ]
    assert "tests.cli.demo_handlers:gated" in invoke("handlers", *HANDLERS).stdout


def test_config_masks_secrets(invoke):
    url = "postgresql://me:hunter2@localhost/books"
    for more in ((), ("--json",)):
        shown = invoke("config", "--database", url, *more).stdout
        assert "postgresql://me:***@localhost/books" in shown
        assert "hunter2" not in shown


def test_migrate_says_what_it_would_do_and_does_it_once(invoke, database_url, tmp_path):
    database = ("--database", database_url)
    assert invoke("migrate", "--dry-run", *database).stdout == "would apply 0001 initial\n"
    assert not list(tmp_path.glob("*.db"))
    assert invoke("migrate", *database).stdout == "applied 0001 initial\n"
    assert invoke("migrate", *database).stdout == "the schema is up to date\n"


def test_verify_names_what_is_broken(invoke, done):
    assert invoke("verify", *done).exit_code == 0
    run_sql(done[1], "UPDATE jobs SET dead = 7")
    broken = invoke("verify", *done)
    assert broken.exit_code == 1
    assert "job_counters" in broken.stdout
    found = json.loads(invoke("verify", *done, "--json").stdout)
    assert any(one["invariant"] == "job_counters" and one["rows"] for one in found["violations"])


def test_doctor_reports_and_ends_with_1_where_something_is_wrong(invoke, done):
    well = invoke("doctor", *done)
    assert (well.exit_code, "✘" in well.stdout, "✔ retries" in well.stdout) == (0, False, True)
    run_sql(done[1], "UPDATE jobs SET ended_at = NULL, sealed_at = NULL, stopping = 'failed'")
    run_sql(
        done[1],
        "INSERT INTO slices (job_id, first_seq, last_seq, batch, ordinal, open, state, fence, settles)"
        " VALUES (1, 1, 1, 1, 0, 1, 0, 1, 0)",
    )
    sick = invoke("doctor", *done, "--json")
    found = {one["check"]: one for one in json.loads(sick.stdout)}
    assert (sick.exit_code, found["stopping jobs"]["level"], found["clocks"]["level"]) == (1, "wrong", "ok")
    assert found["stopping jobs"]["mend"]
