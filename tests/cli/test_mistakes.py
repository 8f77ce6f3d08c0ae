"""Whatever is wrong is said in one line on stderr, with the exit code that its kind has; never a traceback."""

import json

import pytest

from tests.cli.conftest import HANDLERS, line

USAGE = [
    (("process", "nowhere.ndjson", "--job-type", "demo", *HANDLERS), "nowhere.ndjson: no such file"),
    (("process", ".", "--job-type", "demo", *HANDLERS), ". is a directory; name one file"),
    (
        ("process", "mine.ndjson", "--job-type", "other", *HANDLERS),
        "unknown job type 'other'; known: demo, gated",
    ),
    (
        ("process", "mine.ndjson", "--job-type", "demo", "--handlers", "not_there"),
        "handlers module not_there",
    ),
    (
        ("jobs", "--database", "mysql://x/y"),
        "DatabaseUrl must begin with sqlite:///, postgresql:// or mssql://",
    ),
    (("jobs", "--config", "not-there.json"), "not-there.json: cannot be read"),
    (("ingest", "--job-type", "demo"), "name either a FILE or --from-staging"),
    (("item", 1), "name either JOB and LINE, or --key KEY and --job-type TYPE"),
    (("item", 1, 2, "--key", "a"), "name either JOB and LINE, or --key KEY and --job-type TYPE"),
    (
        ("ingest", "mine.ndjson", "--from-staging", "--job-type", "demo"),
        "name either a FILE or --from-staging",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), USAGE)
def test_a_mistake_in_what_was_typed_exits_2(invoke, write, arguments, message):
    write(line("a"))
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


@pytest.mark.parametrize("command", ["serve", "scheduler", "config"])
@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("0 0 30 2 *", "has a day of month that is wrong or never comes: '0 0 30 2 *'"),
        ("0 0 0 * * *", "must have five fields like */5 * * * *, not '0 0 0 * * *'"),
    ],
)
def test_a_time_that_never_comes_or_a_sixth_field_is_refused_at_start(
    invoke, tmp_path, command, expression, message
):
    jobs = [{"JobType": "demo", "CronExpression": expression}]
    settings = {"Batchanator": {"ScheduledIngestionJobs": jobs}}
    (tmp_path / "batchanator.json").write_text(json.dumps(settings))
    result = invoke(command)
    assert result.exit_code == 2
    assert f"ScheduledIngestionJobs[0].CronExpression {message}" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("jobs",),
        ("job", 1),
        ("job", 1, "--watch"),
        ("results", 1),
        ("item", 1, 1),
        ("rejects", 1),
        ("duplicates", 1),
        ("dead-letter", 1),
        ("dead-letter", 1, "replay"),
        ("dead-letter", 1, "purge"),
        ("cancel", 1),
        ("pause", 1),
        ("resume", 1),
        ("verify",),
    ],
)
def test_no_command_makes_a_database_only_to_look_at_it(invoke, tmp_path, arguments):
    result = invoke(*arguments, "--database", "sqlite:///gone.db")
    assert result.exit_code == 1
    assert result.stderr == "Error: there is no database gone.db\n"
    assert not list(tmp_path.iterdir())


def test_a_database_without_a_schema_says_what_to_run(invoke, tmp_path):
    (tmp_path / "empty.db").touch()
    result = invoke("jobs", "--database", "sqlite:///empty.db")
    assert result.exit_code == 1
    assert (
        result.stderr == "Error: database empty.db: the database has no schema yet: run migrate, or serve\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("process", "mine.ndjson", "--job-type", "demo", *HANDLERS),
        ("serve", "--port", 0, "--log-level", "error"),
        ("migrate",),
    ],
)
def test_a_mistyped_directory_of_a_database_is_told_and_not_made(command, write, tmp_path, arguments):
    write(line("a"))
    done = command(*arguments, "--database", "sqlite:///dta/mine.db")
    assert done.returncode == 1
    why = f"SQLite: there is no directory {tmp_path / 'dta'} for mine.db"
    assert done.stderr == f"Error: database dta/mine.db: {why}\n"
    assert [path.name for path in tmp_path.iterdir()] == ["mine.ndjson"]


@pytest.mark.parametrize("name", ["mine.ndjson", "folder"])
def test_what_is_no_database_is_named_and_not_tried_again(invoke, write, tmp_path, name):
    write(*[line("a", text="x" * 200)] * 20)
    (tmp_path / "folder").mkdir()
    process = ("process", "mine.ndjson", "--job-type", "demo", *HANDLERS, "--wait", 50)
    for arguments in (("jobs",), process):
        result = invoke(*arguments, "--database", f"sqlite:///{name}")
        assert result.exit_code == 1
        assert result.stderr.startswith(f"Error: database {name}: SQLite: ")
        assert result.stderr.count("\n") == 1


def test_an_unknown_job_type_without_handlers_says_how_to_name_them(invoke, write):
    write(line("a"))
    for command in ("process", "validate", "ingest"):
        result = invoke(command, "mine.ndjson", "--job-type", "demo")
        assert result.exit_code == 2
        assert result.stderr == (
            "Error: unknown job type 'demo'; known: none yet; name the module of its handler with --handlers, "
            "or Handlers in the configuration\n"
        )


def test_an_unknown_command_names_the_nearest(invoke):
    result = invoke("prcess")
    assert result.exit_code == 2
    assert "Did you mean 'process'?" in result.stderr


def test_a_password_is_not_repeated_in_an_error(invoke):
    result = invoke("jobs", "--database", "postgresql://me:hunter2@127.0.0.1:1/none")
    assert result.exit_code == 1
    assert "hunter2" not in result.output
    assert result.stderr.startswith("Error: database postgresql://me:***@127.0.0.1:1/none: ")


def test_an_unknown_job_says_so(invoke, database_url):
    invoke("migrate", "--database", database_url)
    for arguments in (
        ("job", 9),
        ("results", 9),
        ("item", 9, 1),
        ("rejects", 9),
        ("duplicates", 9, "--json"),
        ("dead-letter", 9),
        ("cancel", 9),
        ("dead-letter", 9, "replay"),
    ):
        result = invoke(*arguments, "--database", database_url)
        assert (result.exit_code, result.stderr) == (1, "Error: there is no job 9\n")


def test_a_database_that_stays_away_is_told_once_and_tried_again(command, write):
    write(line("a"))
    url = "postgresql://nobody@127.0.0.1:1/none"
    result = command(
        "process", "mine.ndjson", "--job-type", "demo", *HANDLERS, "--database", url, "--wait", "1"
    )
    assert result.returncode == 1
    told, error = result.stderr.splitlines()
    assert told.startswith("the database postgresql://nobody@127.0.0.1:1/none is not there (")
    assert told.endswith("trying again for 1 s")
    assert error.startswith("Error: ")


def test_several_processes_are_refused_where_they_cannot_share_sockets(invoke, monkeypatch):
    monkeypatch.delattr("os.setsid")
    result = invoke("serve", "--processes", "2", "--port", "0")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: --processes needs sockets that processes share")
