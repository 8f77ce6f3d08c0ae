from dataclasses import asdict
from typing import Final

import click
from rich.padding import Padding
from rich.text import Text

from batchanator.app.doctor import examine
from batchanator.app.loops import run
from batchanator.app.opening import existing_store
from batchanator.cli import options
from batchanator.cli.terminal import safe, show
from batchanator.cli.writing import write_json
from batchanator.domain.diagnosis.finding import Finding, Level
from batchanator.settings import Settings

_MARKS: Final = {Level.OK: ("✔", "green"), Level.NOTE: ("•", "yellow"), Level.WRONG: ("✘", "red")}


@click.command()
@options.as_json
@options.with_settings()
def command(*, settings: Settings, as_json: bool) -> None:
    """Say what is stuck or will bite, each with what mends it; reads only. Exit code 1 where something is wrong."""

    async def work() -> list[Finding]:
        async with existing_store(settings) as store:
            return await examine(store, settings)

    found = run(work())
    if as_json:
        write_json([asdict(one) for one in found])
    else:
        for one in found:
            _show(one)
    raise click.exceptions.Exit(1 if any(one.level is Level.WRONG for one in found) else 0)


def _show(one: Finding) -> None:
    mark, style = _MARKS[one.level]
    show(Text(f"{mark} {one.check}: {safe(one.text)}", style=style))
    if one.mend:
        show(Padding(Text(safe(one.mend)), (0, 0, 0, 2)))
