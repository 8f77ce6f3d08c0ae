from typing import Any

import click
from rich.text import Text

from batchanator.app.lines import rejects
from batchanator.cli import listing, options
from batchanator.cli.terminal import safe
from batchanator.settings import Settings


@click.command()
@options.job_id
@listing.limit
@listing.after
@options.as_json
@options.with_settings()
def command(*, settings: Settings, job_id: int, limit: int, after: int, as_json: bool) -> None:
    """List the lines of job ID that could not become items, and why.

    --json writes every one of them, NDJSON, with the line as it was received.
    """
    if as_json:
        listing.write_lines(settings, job_id, lambda store: rejects(store, job_id, after=after))
        return
    table = listing.table_of("Line", "Why", "Where", "Message", "Text")

    def row(line: dict[str, Any]) -> None:
        table.add_row(
            str(line["line"]),
            Text(line["code"], style="red"),
            Text(safe(line["pointer"], longest=80), style="cyan"),
            Text(safe(line["message"], longest=200)),
            Text(safe(line["raw"], longest=60), style="dim"),
        )

    listing.show_lines(
        settings, job_id, lambda store: rejects(store, job_id, after=after), table, row, most=limit
    )
