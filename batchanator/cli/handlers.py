from datetime import timedelta

import click
from rich.table import Table
from rich.text import Text

from batchanator.app.handler_list import HandlerInfo, handler_list
from batchanator.cli import options
from batchanator.cli.terminal import duration, show
from batchanator.cli.writing import write_json
from batchanator.handlers.registry import Registry
from batchanator.settings import Settings


@click.command()
@options.as_json
@options.with_settings(handlers=True, database=False)
def command(*, settings: Settings, as_json: bool) -> None:
    """List the job types that have a handler here, and how each is run."""
    found = handler_list(Registry.load(settings.handlers), settings)
    if as_json:
        write_json([_json(one) for one in found])
    elif not found:
        show("no handlers: name their modules with --handlers, or Handlers in the configuration")
    else:
        show(_table(found))


def _table(found: list[HandlerInfo]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("Job type", overflow="fold")
    table.add_column("Runs")
    for title in ("Slice", "Timeout", "Attempts", "Longest wait"):
        table.add_column(title, justify="right")
    table.add_column("Handler", overflow="fold")
    for one in found:
        table.add_row(
            Text(one.job_type),
            one.kind,
            str(one.slice_size),
            duration(timedelta(seconds=one.timeout_seconds)),
            str(one.max_attempts),
            duration(timedelta(seconds=one.longest_retry_seconds)),
            Text(one.source),
        )
    return table


def _json(one: HandlerInfo) -> dict[str, object]:
    return {
        "jobType": one.job_type,
        "handler": one.source,
        "runs": one.kind,
        "sliceSize": one.slice_size,
        "timeoutSeconds": one.timeout_seconds,
        "maxAttempts": one.max_attempts,
        "maxRetryDelaySeconds": one.longest_retry_seconds,
        "retryJitter": one.retry_jitter,
    }
