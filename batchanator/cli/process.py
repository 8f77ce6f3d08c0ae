from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from batchanator.app.job_json import job_json
from batchanator.app.loops import run
from batchanator.app.opening import existing_store
from batchanator.app.sources import NamedFile, check_resumable, root_of
from batchanator.cli import options
from batchanator.cli.once import Ended, carry_out, existing_file, exit_code, one_shot, tell
from batchanator.cli.summary import summary
from batchanator.cli.terminal import show
from batchanator.cli.writing import write_json
from batchanator.handlers.registry import Registry
from batchanator.settings import Settings


@click.command()
@click.argument("file", type=click.Path())
@options.job_type
@options.job_options
@click.option("--resume", type=click.IntRange(min=1), metavar="ID", help="Go on with this unfinished job.")
@options.wait
@options.as_json
@options.with_settings(handlers=True, logs=True)
def command(
    *,
    settings: Settings,
    file: str,
    job_type: str,
    resume: int | None,
    name: str | None,
    wait: float,
    as_json: bool,
    **given: Any,
) -> None:
    """Send FILE through its handler, here and now, and say what became of every line.

    Exit code 0 where the job ended completed, 1 where it ended otherwise, 2 where it could not begin, 130 or
    143 where a signal stopped it; what it had done stands, and --resume goes on.
    """
    registry = Registry.load(settings.handlers)
    registry.get(job_type)
    source = existing_file(file)
    job_options = options.options_of(settings, **given)

    async def work() -> Ended:
        roots = await _roots(settings, source, job_type, resume)
        one = one_shot(settings, registry, roots, runs=True)

        async def submit() -> int:
            job_id = resume or await one.submit_file(
                job_type, source.path, name=name or source.name, options=job_options
            )
            tell(f"job {job_id}: {source.name} → {job_type} ({one.database})")
            return job_id

        return await carry_out(
            settings, one, submit, wait=timedelta(seconds=wait), until="ended_at", resumed=resume is not None
        )

    ended = run(work())
    _say(ended, as_json=as_json)
    raise click.exceptions.Exit(exit_code(ended))


async def _roots(
    settings: Settings, source: NamedFile, job_type: str, resume: int | None
) -> tuple[Path, ...]:
    """Return where the file is looked for: of an unfinished job, first where it was found before."""
    roots = source.roots(settings)
    if resume is None:
        return roots
    async with existing_store(settings) as store:
        await check_resumable(store, resume, source, job_type)
        before = await root_of(store, resume, source)
    return roots if before is None else (before, *roots)


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
