"""The same file sent again goes on with the job that was left unfinished, and the exit code is that job's."""

import json

import pytest

from tests.cli.conftest import HANDLERS, line
from tests.cli.demo_handlers import GATE, STARTED
from tests.cli.test_signals import GATED, wait_until

SHORT_LEASE = {
    "BATCHANATOR_LOCK_TIMEOUT_MINUTES": "0.05",
    "BATCHANATOR_HEARTBEAT_SECONDS": "0.5",
    "BATCHANATOR_POLLING_INTERVAL_SECONDS": "0.2",
}
LINES = [line(f"k{number}") for number in range(60)]


@pytest.fixture
def killed(start, write, tmp_path, database_url):
    """A file whose first `process` was killed while its handlers ran, and what is needed to send it again."""
    path = write(*LINES)
    arguments = ("process", path.name, *GATED, "--database", database_url)
    process = start(*arguments, **SHORT_LEASE)
    wait_until((tmp_path / STARTED).exists, process)
    process.kill()
    process.communicate()
    return arguments


def jobs(command, url: str) -> list[dict[str, object]]:
    listed = json.loads(command("jobs", "--database", url, "--json").stdout)["data"]
    assert isinstance(listed, list)
    return listed


@pytest.mark.process
def test_the_same_command_goes_on_with_a_killed_job_and_makes_no_second(
    killed, command, tmp_path, database_url
):
    (tmp_path / GATE).touch()
    again = command(*killed, **SHORT_LEASE)
    assert again.returncode == 0, again.stderr
    assert "Going on with job 1: mine.ndjson → gated" in again.stderr
    assert "Job 1 completed" in again.stdout
    (job,) = jobs(command, database_url)
    counts, source = job["counts"], job["source"]
    assert isinstance(counts, dict)
    assert isinstance(source, dict)
    assert (counts["succeeded"], source["duplicates"]) == (60, 0)
    assert command("verify", "--database", database_url).returncode == 0


@pytest.mark.process
def test_the_exit_code_is_that_of_the_job_that_was_gone_on_with(start, command, write, tmp_path, sqlite_url):
    path = write(*LINES[:2], b"no line")
    arguments = ("process", path.name, *GATED, "--database", sqlite_url)
    process = start(*arguments)
    wait_until((tmp_path / STARTED).exists, process)
    process.kill()
    process.communicate()
    (tmp_path / GATE).touch()
    again = command(*arguments)
    assert again.returncode == 1
    assert "Job 1 partially completed" in again.stdout


@pytest.mark.process
def test_beside_a_living_process_it_says_who_holds_the_work_and_waits_for_the_job(
    start, command, write, tmp_path, database_url
):
    arguments = ("process", write(*LINES[:2]).name, *GATED, "--database", database_url)
    first = start(*arguments)
    wait_until((tmp_path / STARTED).exists, first)
    second = start(*arguments)
    assert second.stderr is not None
    told = second.stderr.readline() + second.stderr.readline()
    assert "Going on with job 1" in told
    assert f"job 1: process {first.pid} on " in told
    (tmp_path / GATE).touch()
    for process in (first, second):
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert "Job 1 completed" in out
    assert len(jobs(command, database_url)) == 1


@pytest.mark.process
def test_new_makes_a_second_job_all_the_same(killed, command, tmp_path, database_url):
    (tmp_path / GATE).touch()
    again = command(*killed, "--new", **SHORT_LEASE)
    assert "job 2: mine.ndjson → gated" in again.stderr
    assert [job["id"] for job in jobs(command, database_url)] == [2, 1]


def ingest(invoke, path, url: str) -> None:
    assert invoke("ingest", path, "--job-type", "demo", *HANDLERS, "--database", url).exit_code == 0


def process(invoke, path, url: str, *more: str):
    return invoke("process", path, "--job-type", "demo", *HANDLERS, "--database", url, *more)


def test_what_was_ingested_is_gone_on_with_too(invoke, write, database_url):
    path = write(line("a"), line("b"))
    ingest(invoke, path, database_url)
    done = process(invoke, path, database_url)
    assert (done.exit_code, "Job 1 completed" in done.stdout) == (0, True)


def test_a_file_that_changed_since_is_another_job(invoke, write, database_url):
    ingest(invoke, write(line("a")), database_url)
    done = process(invoke, write(line("a"), line("b")), database_url)
    assert "job 2: mine.ndjson" in done.stderr


def test_a_job_of_another_type_or_file_is_left_alone(invoke, write, database_url):
    ingest(invoke, write(line("a"), name="other.ndjson"), database_url)
    done = process(invoke, write(line("b")), database_url)
    assert "job 2: mine.ndjson" in done.stderr


def test_a_paused_job_is_not_gone_on_with_and_says_what_to_do(invoke, write, database_url):
    path = write(line("a"))
    ingest(invoke, path, database_url)
    invoke("pause", 1, "--database", database_url)
    refused = process(invoke, path, database_url)
    assert refused.exit_code == 1
    assert refused.stderr.startswith(
        "Error: job 1 of this file is paused: batchanator resume 1 lets it go on"
    )
    assert "job 2" in process(invoke, path, database_url, "--new").stderr


def test_new_and_resume_exclude_each_other(invoke, write, sqlite_url):
    refused = process(invoke, write(line("a")), sqlite_url, "--new", "--resume", "1")
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
