"""The course of a one-shot command: open, submit, watch, leave; and what a signal makes of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from batchanator.app.interrupts import Interrupts
from batchanator.app.one_shot import OneShot
from batchanator.app.opening import existing_store
from batchanator.app.report import JobReport, job_report
from batchanator.app.sources import NamedFile, named_file
from batchanator.cli.errors import UsageError
from batchanator.cli.progress import watch
from batchanator.cli.summary import Spell
from batchanator.cli.terminal import err, safe
from batchanator.domain.errors import NotFoundError
from batchanator.domain.progress import finished
from batchanator.handlers.registry import Registry
from batchanator.settings import Settings


@dataclass(frozen=True, slots=True)
class Ended:
    """How it went: `report` is None where nothing was submitted, `interrupted` the exit code of a signal."""

    report: JobReport | None
    interrupted: int | None
    spell: Spell


class Begun(NamedTuple):
    """A job that this process watches, and how many of its items had ended before."""

    job_id: int
    done_before: int = 0


def tell(line: str) -> None:
    """Say something beside the answer: on stderr, one line."""
    err().print(safe(line), soft_wrap=True)


def one_shot(settings: Settings, registry: Registry, roots: tuple[Path, ...], *, runs: bool) -> OneShot:
    return OneShot(settings, registry, roots, runs=runs, tell=tell)


def existing_file(given: str) -> NamedFile:
    """Return the file of the command line; a missing one is a mistake in what was typed: exit 2."""
    try:
        return named_file(given)
    except NotFoundError as error:
        raise UsageError(str(error)) from error


async def carry_out(
    settings: Settings,
    one: OneShot,
    begin: Callable[[], Awaitable[Begun | None]],
    *,
    wait: timedelta,
    until: str,
) -> Ended:
    """Begin and watch a job until its instant `until` is set or a signal comes, and leave cleanly either way."""
    begun: Begun | None = None
    began = monotonic()
    with Interrupts() as interrupts:
        try:
            with interrupts.interruptible():
                await one.open(wait=wait)
                began = monotonic()
                begun = await begin()
                if begun is not None:
                    await watch(one.follow(begun.job_id, until=until), err())
            if interrupts.received is not None:
                tell("stopping: what runs may finish; once more leaves at once")
        finally:
            await one.close()
        took = timedelta(seconds=monotonic() - began)
        if begun is None:
            return Ended(None, interrupts.exit_code, Spell(took, 0))
        async with existing_store(settings) as store:
            report = await job_report(store, begun.job_id)
    spell = Spell(took, finished(report.job) - begun.done_before)
    return Ended(report, interrupts.exit_code, spell)


def exit_code(ended: Ended) -> int:
    """Return 0 where the job ended completed, the signal's code where it has not ended, 1 otherwise."""
    job = None if ended.report is None else ended.report.job
    if ended.interrupted is not None and (job is None or job["ended_at"] is None):
        return ended.interrupted
    return 0 if job is not None and job["status"] == "completed" else 1
