from datetime import timedelta

import click
import orjson
from rich.padding import Padding
from rich.text import Text

from batchanator.app.loops import run
from batchanator.app.opening import existing_store
from batchanator.cli import options
from batchanator.cli.terminal import plural, safe, show
from batchanator.cli.writing import write_json
from batchanator.settings import Settings
from batchanator.store.verify import CHECKS, GRACE, Violation, verify

_ROOM = timedelta(seconds=10)


@click.command()
@options.as_json
@click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    metavar="N",
    default=20,
    show_default=True,
    help="Rows of each violation.",
)
@options.with_settings()
def command(*, settings: Settings, as_json: bool, limit: int) -> None:
    """Check that the books add up; safe on a live database. Exit code 1 where something is broken."""
    grace = max(GRACE, settings.heartbeat + settings.poll + _ROOM)

    async def work() -> list[Violation]:
        async with existing_store(settings) as store:
            return await verify(store, limit=limit, grace=grace)

    found = run(work())
    if as_json:
        write_json({"checks": len(CHECKS), "violations": [one._asdict() for one in found]})
    elif not found:
        show(Text(f"✔ {plural(len(CHECKS), 'check')}, nothing is broken", style="green"))
    else:
        for one in found:
            show(Text(f"✘ {one.invariant}: {one.what}", style="red"))
            rows = [safe(_line(row)) for row in one.rows]
            show(Padding(Text("\n".join(rows)), (0, 0, 1, 2)))
    raise click.exceptions.Exit(1 if found else 0)


def _line(row: dict[str, object]) -> str:
    return orjson.dumps(row, default=str).decode()
