import click
from rich.table import Table
from rich.text import Text

from batchanator.app.job_json import job_json
from batchanator.app.loops import run
from batchanator.app.opening import existing_store
from batchanator.cli import options
from batchanator.cli.terminal import instant, number, safe, show, status
from batchanator.cli.writing import write_json
from batchanator.domain.errors import UnknownJobTypeError
from batchanator.domain.progress import finished
from batchanator.settings import Settings
from batchanator.store.driver import Row
from batchanator.store.store import Store

STATUSES = ("pending", "ingesting", "processing", "completed", "partially_completed", "failed", "cancelled")
_NEWEST = 2**62


@click.command()
@click.option("--status", "state", type=click.Choice(STATUSES), help="Only jobs in this status.")
@click.option("--job-type", metavar="TYPE", help="Only jobs of this type.")
@click.option(
    "--limit", type=click.IntRange(1, 1000), metavar="N", default=20, show_default=True, help="How many."
)
@click.option("--before", type=click.IntRange(min=1), metavar="ID", help="Only jobs older than this one.")
@options.as_json
@options.with_settings()
def command(
    *,
    settings: Settings,
    state: str | None,
    job_type: str | None,
    limit: int,
    before: int | None,
    as_json: bool,
) -> None:
    """List jobs, newest first."""

    async def work() -> list[Row]:
        async with existing_store(settings) as store:
            type_id = None if job_type is None else await _type_id(store, job_type)
            return list(
                await store.jobs.list(
                    before=before or _NEWEST, limit=limit + 1, status=state, job_type_id=type_id
                )
            )

    rows = run(work())
    page, has_more = rows[:limit], len(rows) > limit
    following = page[-1]["id"] if has_more else None
    if as_json:
        write_json({"data": [job_json(job) for job in page], "hasMore": has_more, "next": following})
        return
    if not page:
        show("no jobs")
        return
    show(_table(page))
    if has_more:
        show(Text(f"older ones: --before {following}", style="dim"))


async def _type_id(store: Store, name: str) -> int:
    kinds = {kind["name"]: int(kind["id"]) for kind in await store.job_types.list()}
    if name not in kinds:
        raise UnknownJobTypeError(name, list(kinds))
    return kinds[name]


def _table(jobs: list[Row]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for title in ("Job", "Status", "Type", "Name"):
        table.add_column(title, overflow="fold")
    for title in ("Items", "Ended", "Dead", "Rejected"):
        table.add_column(title, justify="right")
    table.add_column("Created", no_wrap=True)
    for job in jobs:
        table.add_row(
            str(job["id"]),
            _state(job),
            Text(safe(job["job_type"], longest=40)),
            Text(safe(job["name"], longest=60)),
            number(job["accepted"]),
            number(finished(job)),
            Text(number(job["dead"]), style="red" if job["dead"] else "dim"),
            Text(number(job["rejected"]), style="red" if job["rejected"] else "dim"),
            instant(job["created_at"]),
        )
    return table


def _state(job: Row) -> Text:
    if job["ended_at"] is None and job["stopping"] is not None:
        return status("stopping")
    if job["ended_at"] is None and job["paused_at"] is not None:
        return Text.assemble(status(job["status"]), ", ", status("paused"))
    return status(job["status"].replace("_", " "))
