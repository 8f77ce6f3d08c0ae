import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from batchanator.app.loops import run
from batchanator.app.opening import existing_store
from batchanator.app.report import job_row
from batchanator.app.results import STATUSES, result_pieces
from batchanator.cli import options
from batchanator.cli.errors import UsageError
from batchanator.cli.once import tell
from batchanator.cli.terminal import plural
from batchanator.settings import Settings


@click.command()
@options.job_id
@click.option(
    "--status",
    "state",
    type=click.Choice(STATUSES),
    default="all",
    show_default=True,
    help="Only items that ended like this, or that have not ended yet (unprocessed).",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a file instead of stdout; it appears when it is whole.",
)
@options.with_settings()
def command(*, settings: Settings, job_id: int, state: str, output: Path | None) -> None:
    """Write what became of each item of job ID as NDJSON, in input order.

    Dead, cancelled and unprocessed items carry their input as received, so that it can be mended and sent again.
    """

    async def work(file: BinaryIO) -> tuple[int, bool]:
        lines, complete = 0, True
        async with existing_store(settings) as store:
            job = await job_row(store, job_id)
            async for piece in result_pieces(store, job, status=state):
                file.write(piece.text)
                lines += piece.lines
                complete = complete and piece.complete
        return lines, complete

    with _target(output) as file:
        lines, complete = run(work(file))
    if output is not None:
        tell(f"{plural(lines, 'line')} in {output}")
    if not complete:
        tell(f"not complete: job {job_id} has items without an outcome, or its source is still read")


@contextmanager
def _target(output: Path | None) -> Iterator[BinaryIO]:
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.flush()
        return
    part = output.with_name(f"{output.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(output)
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
