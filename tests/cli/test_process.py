"""`process FILE`: a truthful summary and a truthful exit code, on every database."""

import json
import re
from pathlib import Path

from click.testing import Result

from tests.cli.conftest import HANDLERS, Invoke, line


def process(invoke: Invoke, path: Path | str, url: str, *more: str) -> Result:
    return invoke("process", path, "--job-type", "demo", *HANDLERS, "--database", url, *more)


def counts(text: str) -> dict[str, int]:
    """Return the summary's table."""
    found = re.findall(r"^ +([a-z]+) +([\d,]+)(?:  |$)", text, re.MULTILINE)
    return {name: int(number.replace(",", "")) for name, number in found}


def test_a_good_file_ends_completed_and_the_table_adds_up(invoke, write, database_url):
    path = write(line("a"), line("b", do="skip"), line("c"))
    result = process(invoke, path, database_url)
    assert result.exit_code == 0, result.output
    assert "Job 1 completed" in result.stdout
    table = counts(result.stdout)
    assert table["lines"] == table["accepted"] + table["duplicates"] + table["rejected"] == 3
    assert table["accepted"] == sum(table[name] for name in ("succeeded", "skipped", "dead", "cancelled"))
    assert (table["succeeded"], table["skipped"]) == (2, 1)


def test_the_same_file_again_is_all_duplicates_and_no_failure(invoke, write, database_url):
    path = write(line("a"), line("b"))
    process(invoke, path, database_url)
    again = process(invoke, path, database_url)
    assert again.exit_code == 0
    assert counts(again.stdout)["duplicates"] == 2
    assert "of job 1" in again.stdout


def test_rejects_and_dead_letters_are_named_with_line_and_reason(invoke, write, database_url):
    path = write(line("a"), b"not json", line("b", do="fail"), line("c", do="dance"), line("a", do="skip"))
    result = process(invoke, path, database_url)
    assert result.exit_code == 1
    assert "Job 1 partially completed" in result.stdout
    assert re.search(r"line 2 +not_json", result.stdout)
    assert re.search(r"line 3 +refused +it said \\x1b\[31mno", result.stdout)
    assert re.search(r"line 4 +invalid_payload +do: ", result.stdout)
    assert "of earlier lines here; 1 line with another payload" in result.stdout


def test_nothing_of_a_file_reaches_the_terminal_unescaped(invoke, write, sqlite_url):
    path = write(b'\x1b]0;title\x07{"a": 1}', line("a", do="fail"), name="bad\x1b[2Jname.ndjson")
    result = process(invoke, path, sqlite_url)
    assert "\x1b" not in result.output
    assert r"bad\x1b[2Jname.ndjson" in result.output


def test_json_prints_the_job_and_nothing_else_on_stdout(invoke, write, database_url):
    result = process(invoke, write(line("a"), line("b", do="fail")), database_url, "--json", "--name", "mine")
    job = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (job["name"], job["status"]) == ("mine", "partially_completed")
    assert job["counts"]["succeeded"] == job["counts"]["dead"] == 1
    assert sum(count for name, count in job["counts"].items() if name != "total") == job["counts"]["total"]


def test_an_empty_file_is_a_job_with_nothing_to_do(invoke, write, sqlite_url):
    assert process(invoke, write(), sqlite_url).exit_code == 0


def test_a_strict_job_with_a_reject_fails_with_nothing_run(invoke, write, sqlite_url):
    result = process(invoke, write(line("a"), b"[]"), sqlite_url, "--strict")
    assert result.exit_code == 1
    assert "Job 1 failed" in result.stdout
    assert "strict: 1 line was rejected" in result.stdout
    assert counts(result.stdout)["cancelled"] == 1


def test_a_source_that_cannot_be_read_says_why(invoke, write, sqlite_url):
    result = process(invoke, write(b"[", b'{"a": 1}]'), sqlite_url)
    assert result.exit_code == 1
    assert "the source is a JSON array" in result.stdout


def test_redrive_runs_a_dead_line_again(invoke, write, database_url):
    path = write(line("a", do="fail"))
    process(invoke, path, database_url)
    assert counts(process(invoke, path, database_url).stdout)["duplicates"] == 1
    again = process(invoke, path, database_url, "--on-duplicate", "redrive")
    assert counts(again.stdout)["dead"] == 1


def test_a_mended_line_runs_alone(invoke, write, database_url):
    process(invoke, write(line("a"), line("b", do="fail")), database_url)
    mended = process(invoke, write(line("a"), line("b", do="succeed")), database_url)
    assert mended.exit_code == 0
    table = counts(mended.stdout)
    assert (table["succeeded"], table["duplicates"]) == (1, 1)


def test_a_file_anywhere_can_be_named_even_by_a_symlink(invoke, write, tmp_path, sqlite_url, monkeypatch):
    path = write(line("a"))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "latest.ndjson").symlink_to(path)
    monkeypatch.chdir(tmp_path / "elsewhere")
    result = process(invoke, "latest.ndjson", sqlite_url)
    assert result.exit_code == 0
    assert "latest.ndjson → demo" in result.stdout


def test_resume_refuses_what_it_cannot_go_on_with(invoke, write, sqlite_url):
    path = write(line("a"))
    process(invoke, path, sqlite_url)
    assert "job 1 has ended: it is completed" in process(invoke, path, sqlite_url, "--resume", "1").stderr
    assert "there is no job 7" in process(invoke, path, sqlite_url, "--resume", "7").stderr


def test_who_holds_duplicates_and_how_many_differ_are_told_apart(invoke, write, sqlite_url):
    for number, do in enumerate(("succeed", "fail")):
        process(invoke, write(line(f"k{number}", do=do), name=f"{number}.ndjson"), sqlite_url)
    path = write(line("k0", do="skip"), line("k1", do="fail"), line("new"), line("new"))
    assert "of jobs 1, 2 and of earlier lines here; 1 line with another payload; 1 line of dead letters" in (
        process(invoke, path, sqlite_url).stdout
    )


def test_a_file_that_comes_to_nothing_says_in_words_why_it_failed(invoke, write, sqlite_url):
    path = write(line("a"), b"oops")
    process(invoke, path, sqlite_url)
    again = process(invoke, path, sqlite_url)
    assert again.exit_code == 1
    assert "no line succeeded or was skipped: 1 rejected, 1 duplicate" in again.stdout


def test_beside_a_summary_the_log_is_for_people(command, write):
    path = write(b"[", b'{"a": 1}]')
    arguments = ("process", path.name, "--job-type", "demo", *HANDLERS)
    told = command(*arguments).stderr
    assert "source.failed" in told
    assert "{" not in told
    assert '{"timestamp"' in command(*arguments, "--json").stderr
    assert '{"timestamp"' in command(*arguments, "--log-format", "json").stderr
