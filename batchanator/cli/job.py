import click
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from batchanator.app.interrupts import Interrupts
from batchanator.app.job_json import job_json
from batchanator.app.loops import run
from batchanator.app.one_shot import follow
from batchanator.app.opening import existing_store
from batchanator.app.report import JobReport, job_report, job_row
from batchanator.cli import options
from batchanator.cli.once import tell
from batchanator.cli.progress import watch
from batchanator.cli.summary import summary
from batchanator.cli.terminal import err, instant, number, safe, show
from batchanator.cli.writing import write_json
from batchanator.settings import Settings
from batchanator.store.driver import Row


@click.command()
@options.job_id
@click.option("--watch", "follows", is_flag=True, help="Follow the job until it ends.")
@options.as_json
@options.with_settings()
def command(*, settings: Settings, job_id: int, follows: bool, as_json: bool) -> None:
    """Show job ID: its counts, times, first rejects and dead letters.

    With --watch the exit code is 0 where the job ended completed, 1 where it ended otherwise.
    """

    async def work() -> tuple[JobReport, int | None]:
        with Interrupts() as interrupts:
            async with existing_store(settings) as store:
                await job_row(store, job_id)
                if follows:
                    with interrupts.interruptible():
                        await watch(follow(store, job_id, tell=tell), err())
                return await job_report(store, job_id), interrupts.exit_code

    report, interrupted = run(work())
    if as_json:
        write_json(job_json(report.job))
    else:
        parts = [_times(report.job), *([_errors(report)] if report.errors else [])]
        show(summary(report), *[Padding(part, (1, 0, 0, 2)) for part in parts])
    if interrupted is not None:
        raise click.exceptions.Exit(interrupted)
    if follows and report.job["status"] != "completed":
        raise click.exceptions.Exit(1)


def _times(job: Row) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name in ("created", "started", "sealed", "ended", "paused"):
        if job[f"{name}_at"] is not None:
            table.add_row(name, instant(job[f"{name}_at"]))
    if job["stopping"] is not None and job["ended_at"] is None:
        table.add_row("stopping", f"will end {job['stopping']}")
    table.add_row("source", Text(f"{job['source_kind']} {safe(job['source_name'], longest=80)}"))
    table.add_row("batches", f"{number(job['batches_completed'])} of {number(job['batches'])} done")
    if job["round"] > 1:
        table.add_row("round", str(job["round"]))
    if job["priority"]:
        table.add_row("priority", str(job["priority"]))
    if job["max_concurrency"] is not None:
        table.add_row("max concurrency", str(job["max_concurrency"]))
    return table


def _errors(report: JobReport) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("Errors")
    table.add_column("Items", justify="right")
    table.add_column("One of them", overflow="fold")
    for row in report.errors:
        code, sample = safe(row["error_code"], longest=80), safe(row["sample"] or "", longest=200)
        table.add_row(Text(code, style="red"), number(row["items"]), Text(sample))
    return table
