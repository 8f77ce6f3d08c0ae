from typing import Any

import click
from rich.text import Text

from batchanator.app.lines import duplicates
from batchanator.cli import listing, options
from batchanator.cli.terminal import safe
from batchanator.settings import Settings

KINDS = {"duplicate": "", "conflict": "with another payload", "dead_holder": "a dead letter"}


@click.command()
@options.job_id
@listing.limit
@listing.after
@options.as_json
@options.with_settings()
def command(*, settings: Settings, job_id: int, limit: int, after: int, as_json: bool) -> None:
    """List the lines of job ID whose keys were taken, and which item held each.

    --json writes every one of them, NDJSON.
    """
    if as_json:
        listing.write_lines(settings, job_id, lambda store: duplicates(store, job_id, after=after))
        return
    table = listing.table_of("Line", "Key", "Held by", "What")

    def row(line: dict[str, Any]) -> None:
        held = line["holder"]
        table.add_row(
            str(line["line"]),
            Text(safe(line["idempotencyKey"] or "-", longest=60)),
            f"job {held['jobId']} line {held['seq']}",
            Text(KINDS[line["kind"]], style="yellow"),
        )

    listing.show_lines(
        settings, job_id, lambda store: duplicates(store, job_id, after=after), table, row, most=limit
    )
