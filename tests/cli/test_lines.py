"""What item, rejects and duplicates say of every line: what it became, why, and who holds its key."""

import json

import pytest

from tests.cli.conftest import HANDLERS, line


@pytest.fixture
def database(invoke, write, database_url):
    """Job 1 with a line of every kind: succeeded, dead, reject, skipped, blank, conflict; job 2 with its duplicates."""
    path = write(
        line("a"), line("b", do="fail"), b"oops", line("c", do="skip"), b"", line("a", do="skip"), line("d")
    )
    for more in ((), ("--new",)):
        invoke("process", path, "--job-type", "demo", *HANDLERS, "--database", database_url, *more)
    return ("--database", database_url)


def test_an_item_is_shown_with_its_attempts_and_payload(invoke, database):
    shown = invoke("item", 1, 2, *database)
    assert shown.exit_code == 0
    first, *rest = shown.stdout.splitlines()
    assert first == "Job 1 line 2 dead   b"
    words = " ".join(" ".join(rest).split())
    assert 'payload {"idempotency_key":"b","do":"fail"}' in words
    assert "attempts 1" in words
    assert "refused it said \\x1b[31mno" in words
    one = json.loads(invoke("item", 1, 2, *database, "--json").stdout)
    assert (one["status"], one["attemptsLog"][0]["code"]) == ("dead", "refused")
    assert "skipped because  nothing to do" in invoke("item", 1, 4, *database).stdout
    assert '{"did":"it"}' in invoke("item", 1, 1, *database).stdout


def test_a_reject_and_a_duplicate_say_why_they_are_no_items(invoke, database):
    reject = invoke("item", 1, 3, *database).stdout
    assert reject.startswith("Job 1 line 3 rejected")
    assert "not_json" in reject
    assert "oops" in reject
    conflict = invoke("item", 1, 6, *database).stdout
    assert conflict.startswith("Job 1 line 6 duplicate   a")
    assert "job 1 line 1, succeeded" in conflict
    assert "with another payload" in conflict


@pytest.mark.parametrize(
    ("number", "why"),
    [(5, "line 5 of job 1 is blank"), (8, "line 8 of job 1 was not read: the source was read to line 7")],
)
def test_a_line_that_is_none_says_so(invoke, database, number, why):
    result = invoke("item", 1, number, *database)
    assert (result.exit_code, result.stderr) == (1, f"Error: {why}\n")


def test_a_key_leads_to_its_item(invoke, database):
    found = invoke("item", "--key", "c", "--job-type", "demo", *database)
    assert found.stdout.startswith("Job 1 line 4 skipped   c")
    nobody = invoke("item", "--key", "z", "--job-type", "demo", *database)
    assert (nobody.exit_code, nobody.stderr) == (1, "Error: no item of demo holds the key 'z'\n")


def test_rejects_are_listed(invoke, database):
    assert "not_json" in invoke("rejects", 1, *database).stdout
    (one,) = [json.loads(text) for text in invoke("rejects", 1, *database, "--json").stdout.splitlines()]
    assert (one["line"], one["code"], one["raw"]) == (3, "not_json", "oops")


def test_duplicates_are_listed_with_who_holds_the_key(invoke, database):
    shown = invoke("duplicates", 2, *database, "--limit", "2").stdout.splitlines()
    assert [row.split()[:2] for row in shown[1:3]] == [["1", "a"], ["2", "b"]]
    assert shown[2].endswith("job 1 line 2  a dead letter")
    assert shown[3] == "and more: --after 2, or --json for every one"
    following = invoke("duplicates", 2, *database, "--after", "2", "--json").stdout.splitlines()
    assert [json.loads(text)["line"] for text in following] == [4, 6, 7]
    assert json.loads(following[1])["kind"] == "conflict"


def test_a_job_without_any_says_so(invoke, database):
    assert invoke("duplicates", 2, *database, "--after", "99").stdout == "none\n"


def test_every_duplicate_of_a_large_file_is_written_once(invoke, write, sqlite_url):
    path = write(*(line(f"k{number}") for number in range(2500)))
    for _ in range(2):
        invoke("process", path, "--job-type", "demo", *HANDLERS, "--database", sqlite_url)
    written = invoke("duplicates", 2, "--database", sqlite_url, "--json").stdout.splitlines()
    assert [json.loads(text)["line"] for text in written] == list(range(1, 2501))
    summary = invoke("job", 2, "--database", sqlite_url).stdout
    assert "of job 1" in summary
