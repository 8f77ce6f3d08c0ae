import sys

import click
from rich.table import Table
from rich.text import Text

from batchanator.app.loops import run
from batchanator.app.opening import existing_store
from batchanator.app.report import job_row
from batchanator.app.results import result_pieces
from batchanator.cli import options
from batchanator.cli.once import tell
from batchanator.cli.operating import actor, operate
from batchanator.cli.terminal import number, plural, safe, show
from batchanator.settings import Settings
from batchanator.store.driver import Row
from batchanator.store.operations import Replayed


@click.command()
@options.job_id
@click.argument("action", type=click.Choice(["list", "replay", "purge"]), default="list")
@click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    metavar="N",
    default=20,
    show_default=True,
    help="How many to list.",
)
@click.option("--yes", is_flag=True, help="Purge without asking.")
@options.as_json
@options.with_settings()
def command(*, settings: Settings, job_id: int, action: str, limit: int, yes: bool, as_json: bool) -> None:
    """List the dead letters of job ID, replay them with fresh attempts, or purge their payloads.

    --json writes every one of them as a result line with its input, NDJSON.
    """
    if action == "replay":
        done = operate(settings, lambda operations: operations.replay(job_id, actor=actor()))
        tell(f"{plural(done.replayed, 'dead letter')} of job {job_id} will run again{_left_out(done)}")
        if done.replayed and not run(_is_served(settings)):
            tell(
                f"no worker is alive to run them: start batchanator serve, "
                f"or send the file again with process --resume {job_id}"
            )
    elif action == "purge":
        question = f"Empty the payloads of every dead letter of job {job_id}? They cannot be replayed then."
        if not yes and sys.stdin.isatty() and not click.confirm(question, err=True):
            raise click.exceptions.Exit(1)
        count = operate(settings, lambda operations: operations.purge(job_id, actor=actor()))
        tell(f"{plural(count, 'dead letter')} of job {job_id} purged")
    elif as_json:
        run(_write(settings, job_id))
    else:
        run(_list(settings, job_id, limit))


def _left_out(done: Replayed) -> str:
    named = ((done.replaced, "sent again meanwhile"), (done.purged, "purged"))
    told = ", ".join([f"{number(count)} {why}" for count, why in named if count])
    return f"; left out: {told}" if told else ""


async def _is_served(settings: Settings) -> bool:
    """Say whether a worker with handlers has a lease."""
    async with existing_store(settings) as store:
        workers = await store.workers.list()
    return any(one["lease_until"] > one["now_at"] and "dispatch" in one["roles"] for one in workers)


async def _write(settings: Settings, job_id: int) -> None:
    async with existing_store(settings) as store:
        job = await job_row(store, job_id)
        async for piece in result_pieces(store, job, status="dead"):
            sys.stdout.buffer.write(piece.text)
    sys.stdout.flush()


async def _list(settings: Settings, job_id: int, limit: int) -> None:
    async with existing_store(settings) as store:
        job = await job_row(store, job_id)
        rows = await store.item_pages.page_dead(job_id=job_id, after=0, limit=limit + 1)
    if rows:
        show(_table(list(rows[:limit])))
    else:
        purged = f"; {number(job['dead'])} were purged" if job["dead"] else ""
        show(f"job {job_id} has no dead letters{purged}")
    if len(rows) > limit:
        show(Text("and more: --limit shows them, --json every one", style="dim"))


def _table(rows: list[Row]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for title, justify in (("Line", "right"), ("Key", "left"), ("Attempts", "right"), ("Why", "left")):
        table.add_column(title, justify=justify, overflow="fold")  # type: ignore[arg-type]
    table.add_column("Error", overflow="fold")
    if any(row["replaced_by_job_id"] is not None for row in rows):
        table.add_column("Replaced by", overflow="fold")
    for row in rows:
        table.add_row(
            str(row["seq"]),
            Text(safe(row["idempotency_key"], longest=60)),
            str(row["attempts"]),
            Text(safe(row["error_code"] or row["reason"], longest=40), style="red"),
            Text(safe(row["last_error"] or "", longest=200)),
            *_replaced(row),
        )
    return table


def _replaced(row: Row) -> list[Text]:
    by = row["replaced_by_job_id"]
    return [] if by is None else [Text(f"job {by} line {row['replaced_by_seq']}", style="green")]
