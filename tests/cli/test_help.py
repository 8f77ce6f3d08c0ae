"""Help and version answer at once, and options without a command are those of `serve`."""

import subprocess
import sys

import click
import pytest

from batchanator.cli.commands import WITH_VALUE
from batchanator.cli.main import cli

HEAVY = ("aiohttp", "asyncpg", "aiosqlite", "rich", "structlog", "orjson")


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_and_version_import_little(argument):
    code = f"""
import sys
from batchanator.cli.main import cli
try:
    cli([{argument!r}], prog_name="batchanator")
except SystemExit as end:
    assert end.code == 0
loaded = [name for name in {HEAVY!r} if name in sys.modules]
print(loaded, file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stderr.strip()
    assert "aiohttp" not in loaded
    assert "asyncpg" not in loaded
    assert "rich" not in loaded


def test_the_module_and_the_version(command):
    done = command("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("batchanator 0.")


def test_the_help_stands_in_sections(invoke):
    text = invoke("--help").output
    assert [line for line in text.splitlines() if line in {"Run:", "Look:", "Operate:", "Database:"}] == [
        "Run:",
        "Look:",
        "Operate:",
        "Database:",
    ]


@pytest.mark.parametrize("arguments", [[], ["--port", "8080"], ["--handlers", "shop.handlers"]])
def test_without_a_command_it_is_serve(arguments):
    context = click.Context(cli)
    cli.parse_args(context, list(arguments))
    assert context._protected_args == ["serve"]
    assert context.args == arguments


def test_common_options_may_stand_before_the_command(invoke, tmp_path):
    before = ("--database", "sqlite:///gone.db", "--config=my.json", "--json")
    (tmp_path / "my.json").write_text("{}")
    assert invoke(*before, "jobs").stderr == "Error: there is no database gone.db\n"
    assert (
        invoke("--database", "sqlite:///gone.db", "job", "7").stderr
        == "Error: there is no database gone.db\n"
    )
    assert "Did you mean 'jobs'?" in invoke("--database", "sqlite:///gone.db", "jbos").stderr


def test_the_options_that_take_a_value_before_a_command_are_those_of_serve():
    serve = cli.get_command(click.Context(cli), "serve")
    assert serve is not None
    options = [one for one in serve.params if isinstance(one, click.Option) and not one.is_flag]
    assert {flag for one in options for flag in one.opts} == WITH_VALUE
