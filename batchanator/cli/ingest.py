from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from batchanator.app.job_json import job_json
from batchanator.app.loops import run
from batchanator.cli import options
from batchanator.cli.errors import UsageError
from batchanator.cli.once import Begun, Ended, carry_out, existing_file, one_shot, tell
from batchanator.cli.summary import summary
from batchanator.cli.terminal import show
from batchanator.cli.writing import write_json
from batchanator.handlers.registry import Registry
from batchanator.settings import Settings, source_roots


@click.command()
@click.argument("file", type=click.Path(), required=False)
@options.job_type
@click.option(
    "--from-staging", is_flag=True, help="Instead of a file: the job type's rows in the table pending_work."
)
@options.job_options
@options.wait
@options.as_json
@options.with_settings(handlers=True, logs=True)
def command(
    *,
    settings: Settings,
    file: str | None,
    job_type: str,
    from_staging: bool,
    name: str | None,
    wait: float,
    as_json: bool,
    **given: Any,
) -> None:
    """Submit FILE, or the staging rows, and read it to its end; a serving process runs the items.

    Exit code 0 where everything was read, even if lines were rejected, 1 where the source failed.
    """
    if (file is None) != from_staging:
        raise UsageError("name either a FILE or --from-staging")
    if from_staging and name is not None:
        raise UsageError("--name is for a FILE; a job of staging rows is named by its type and time")
    registry = Registry.load(settings.handlers)
    source = None if file is None else existing_file(file)
    roots = source_roots(settings, Path.cwd()) if source is None else source.roots(settings)
    job_options = options.options_of(settings, **given)

    async def work() -> Ended:
        one = one_shot(settings, registry, roots, runs=False)

        async def begin() -> Begun | None:
            await one.start()
            if source is None:
                job_id = await one.submit_staging(job_type, options=job_options)
                return None if job_id is None else Begun(job_id)
            return Begun(
                await one.submit_file(job_type, source.path, name=name or source.name, options=job_options)
            )

        return await carry_out(settings, one, begin, wait=timedelta(seconds=wait), until="sealed_at")

    raise click.exceptions.Exit(_say(run(work()), as_json=as_json))


def _say(ended: Ended, *, as_json: bool) -> int:
    if ended.report is None:
        tell("nothing is pending" if ended.interrupted is None else "stopped before anything was submitted")
        return ended.interrupted or 0
    job = ended.report.job
    if as_json:
        write_json(job_json(job))
    else:
        show(summary(ended.report, spell=ended.spell))
    if job["sealed_at"] is None:
        tell("Nothing is lost. A serving process that finds the file reads on where this one stopped.")
        return ended.interrupted or 1
    return 1 if "failed" in {job["stopping"], job["status"]} and job["reason"] else 0
