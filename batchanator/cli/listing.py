"""A list of a job's lines: the first as a table, or every one as NDJSON, read while it is written."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from batchanator.app.loops import run
from batchanator.app.opening import existing_store
from batchanator.app.report import job_row
from batchanator.cli.terminal import show
from batchanator.cli.writing import write_json_line
from batchanator.settings import Settings
from batchanator.store.store import Store

Lines = Callable[[Store], AsyncIterator[dict[str, Any]]]
limit = click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    metavar="N",
    default=20,
    show_default=True,
    help="How many to list.",
)
after = click.option(
    "--after",
    type=click.IntRange(0, 2**62),
    metavar="LINE",
    default=0,
    show_default=True,
    help="Only lines after this one: the next page.",
)


def write_lines(settings: Settings, job_id: int, lines: Lines) -> None:
    async def work() -> None:
        async with existing_store(settings) as store:
            await job_row(store, job_id)
            async for line in lines(store):
                write_json_line(line)

    run(work())


def show_lines(
    settings: Settings,
    job_id: int,
    lines: Lines,
    table: Table,
    row: Callable[[dict[str, Any]], None],
    *,
    most: int,
) -> None:
    """Fill `table` by `row` with at most so many lines; where there are none it is said."""

    async def work() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        async with existing_store(settings) as store:
            await job_row(store, job_id)
            async for line in lines(store):
                found.append(line)
                if len(found) > most:
                    break
        return found

    found = run(work())
    for line in found[:most]:
        row(line)
    if not found:
        show("none")
        return
    show(table)
    if len(found) > most:
        show(Text(f"and more: --after {found[most - 1]['line']}, or --json for every one", style="dim"))


def table_of(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for title in columns:
        table.add_column(title, justify="right" if title == "Line" else "left", overflow="fold")
    return table
