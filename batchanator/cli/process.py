from datetime import timedelta
from typing import Any

import click

from batchanator.app.job_json import job_json
from batchanator.app.loops import run
from batchanator.app.one_shot import OneShot
from batchanator.app.opening import check_there
from batchanator.app.sources import NamedFile, unfinished_job
from batchanator.cli import options
from batchanator.cli.errors import UsageError
from batchanator.cli.once import Begun, Ended, carry_out, existing_file, exit_code, one_shot, tell
from batchanator.cli.summary import summary
from batchanator.cli.terminal import instant, show
from batchanator.cli.writing import write_json
from batchanator.domain.errors import ConflictError
from batchanator.handlers.registry import Registry
from batchanator.settings import Settings


@click.command()
@click.argument("file", type=click.Path())
@options.job_type
@options.job_options
@click.option(
    "--new", "is_new", is_flag=True, help="Make a new job, even where one of this file is unfinished."
)
@click.option("--resume", type=click.IntRange(min=1), metavar="ID", help="Go on with this unfinished job.")
@options.wait
@options.as_json
@options.with_settings(handlers=True, logs=True)
def command(
    *,
    settings: Settings,
    file: str,
    job_type: str,
    is_new: bool,
    resume: int | None,
    name: str | None,
    wait: float,
    as_json: bool,
    **given: Any,
) -> None:
    """Send FILE through its handler, here and now, and say what became of every line.

    Exit code 0 where the job ended completed, 1 where it ended otherwise, 2 where it could not begin, 130 or
    143 where a signal stopped it; what it had done stands, and the same command goes on with it.
    """
    if is_new and resume is not None:
        raise UsageError("--new makes a new job and --resume goes on with one: name one of them")
    registry = Registry.load(settings.handlers)
    registry.get(job_type)
    source = existing_file(file)
    job_options = options.options_of(settings, **given)

    async def work() -> Ended:
        if resume is not None:
            check_there(settings)
        one = one_shot(settings, registry, source.roots(settings), runs=True)

        async def begin() -> Begun:
            unfinished = resume or (None if is_new else await _unfinished(one, source, job_type))
            if unfinished is not None:
                return await _go_on(one, unfinished, source, job_type)
            await one.start()
            job_id = await one.submit_file(
                job_type, source.path, name=name or source.name, options=job_options
            )
            tell(f"job {job_id}: {source.name} → {job_type} ({one.database})")
            return Begun(job_id)

        return await carry_out(settings, one, begin, wait=timedelta(seconds=wait), until="ended_at")

    ended = run(work())
    _say(ended, as_json=as_json)
    raise click.exceptions.Exit(exit_code(ended))


async def _unfinished(one: OneShot, source: NamedFile, job_type: str) -> int | None:
    """Return the job that was left unfinished, so that its lines do not become a second job's duplicates."""
    job = await unfinished_job(one.runtime.store, source, job_type)
    if job is None:
        return None
    if job["paused_at"] is not None:
        raise ConflictError(
            f"job {job['id']} of this file is paused: batchanator resume {job['id']} lets it go on, "
            "--new makes another job"
        )
    return int(job["id"])


async def _go_on(one: OneShot, job_id: int, source: NamedFile, job_type: str) -> Begun:
    done_before = await one.go_on(job_id, source, job_type)
    tell(f"Going on with job {job_id}: {source.name} → {job_type} ({one.database})")
    for held in await one.holding(job_id):
        tell(
            f"job {job_id}: process {held['pid']} on {held['host']} holds a part of it, "
            f"until {instant(held['lease_until'])} if it has died"
        )
    return Begun(job_id, done_before)


def _say(ended: Ended, *, as_json: bool) -> None:
    if ended.report is None:
        tell("stopped before anything was submitted")
        return
    job = ended.report.job
    if as_json:
        write_json(job_json(job))
    else:
        show(summary(ended.report, spell=ended.spell))
    if job["ended_at"] is None:
        tell(f"Nothing is lost. The same command with --resume {job['id']} goes on with it.")
