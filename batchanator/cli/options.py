"""Options that several commands have, and the settings that follow from them."""

import importlib
import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Literal

import click

from batchanator.cli.errors import DatabaseError, UsageError
from batchanator.domain.errors import StoreError, UnknownJobTypeError
from batchanator.domain.submission import JobOptions, OnDuplicate
from batchanator.logs import configure_logging
from batchanator.settings import Settings, load_settings

LogLevel = Literal["info", "warning"]
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
_CONFIG = click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The configuration, instead of batchanator.json or batchanator.toml here.",
)
_DATABASE = click.option(
    "--database",
    "database_url",
    metavar="URL",
    help="sqlite:///file.db or postgresql://user:password@host/name.",
)
_HANDLERS = click.option(
    "--handlers", multiple=True, metavar="MODULE", help="A module that holds handlers; repeatable."
)
_LOG_FORMAT = click.option(
    "--log-format", type=click.Choice(["auto", "console", "json"]), help="The form of the log on stderr."
)
_LOG_LEVEL = click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    help="The lowest level that is logged.",
)
_HOST = click.option("--host", metavar="ADDRESS", help="The address to listen on; 127.0.0.1 by default.")
_PORT = click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="N",
    help="The one port for every route; 5000 and 5001 by default.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Write JSON, for programs.")
wait = click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="How long to keep trying where the database is not there.",
)
job_type = click.option("--job-type", required=True, metavar="TYPE", help="The job type, as handlers has it.")
job_id = click.argument("job_id", metavar="ID", type=click.IntRange(min=1))


def with_settings(
    *,
    logs: bool = False,
    handlers: bool = False,
    listens: bool = False,
    database: bool = True,
    log_level: LogLevel = "warning",
) -> Decorator:
    """Add the common options, and call the command with `settings`, after the logs were configured."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def run(*, config: Path | None, **given: Any) -> Any:
            overrides = {name: given.pop(name, None) for name in _SETTINGS}
            settings = load_settings(config=config, cwd=Path.cwd(), environ=os.environ, overrides=overrides)
            _configure_logs(settings, log_level, for_people=log_level != "info" and not given.get("as_json"))
            try:
                return command(settings=settings, **given)
            except UnknownJobTypeError as error:
                if not handlers or settings.handlers:
                    raise
                raise UsageError(f"{error}; {_NO_HANDLERS}") from error
            except StoreError as error:
                if not database:
                    raise
                raise DatabaseError(f"database {_named(settings)}: {error}") from error

        options = [*([_HOST, _PORT] if listens else []), *([_HANDLERS] if handlers else []), _CONFIG]
        options += [*([_DATABASE] if database else []), *([_LOG_FORMAT, _LOG_LEVEL] if logs else [])]
        for option in reversed(options):
            run = option(run)
        return run

    return decorate


def _configure_logs(settings: Settings, level: LogLevel, *, for_people: bool) -> None:
    """Beside an answer for people the log is for people too, unless something says otherwise."""
    given = settings.model_fields_set
    log_format = settings.log_format if "log_format" in given or not for_people else "console"
    configure_logging(log_format, settings.log_level if "log_level" in given else level)


def _named(settings: Settings) -> str:
    # Imported here: the database's libraries come along, and only those who asked one should wait for them.
    opening: Any = importlib.import_module("batchanator.app.opening")
    name: str = opening.database_name(settings)
    return name


_NO_HANDLERS = "name the module of its handler with --handlers, or Handlers in the configuration"
_SETTINGS = ("database_url", "handlers", "host", "port", "log_format", "log_level")


def job_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a new job."""
    for option in reversed(
        [
            click.option("--name", help="What the job is called; the file's name by default."),
            click.option(
                "--on-duplicate",
                type=click.Choice(["skip", "redrive", "never"]),
                help="A line whose key is taken: skip it, redrive dead letters with the same payload too, "
                "or never take a key over.",
            ),
            click.option(
                "--strict/--no-strict", default=None, help="One rejected line fails the job, nothing run."
            ),
            click.option(
                "--priority",
                type=click.IntRange(-1_000_000, 1_000_000),
                metavar="N",
                default=0,
                show_default=True,
                help="Higher goes first.",
            ),
            click.option(
                "--max-concurrency",
                type=click.IntRange(1, 10_000),
                metavar="N",
                help="Items of this job that run at a time, over all workers; at most 10,000.",
            ),
            click.option(
                "--slice-size",
                type=click.IntRange(1, 10_000),
                metavar="N",
                help="Items that are claimed and settled at once; at most 10,000.",
            ),
        ]
    ):
        command = option(command)
    return command


def options_of(
    settings: Settings,
    *,
    on_duplicate: OnDuplicate | None,
    strict: bool | None,
    priority: int,
    max_concurrency: int | None,
    slice_size: int | None,
) -> JobOptions:
    """Return the options of a new job: the settings' where none were given."""
    return JobOptions(
        on_duplicate=on_duplicate or settings.on_duplicate,
        strict=settings.strict if strict is None else strict,
        priority=priority,
        max_concurrency=max_concurrency,
        slice_size=slice_size,
    )
