"""What became of a job, for people: its row, its first rejects and dead letters, and who holds its duplicates' keys."""

from collections.abc import Sequence
from dataclasses import dataclass

from batchanator.domain.errors import NotFoundError
from batchanator.store.driver import Row
from batchanator.store.store import Store

PAGE = 1000
MOST_RUNS = 10_000
"""Runs of duplicate lines that are looked at: a file sent twice has one a batch."""


@dataclass(frozen=True, slots=True)
class Holders:
    """Who holds the keys of a job's duplicate lines; `complete` is False where only the first runs were read."""

    jobs: tuple[int, ...] = ()
    conflicts: int = 0
    dead: int = 0
    unended: tuple[int, ...] = ()
    complete: bool = True


@dataclass(frozen=True, slots=True)
class JobReport:
    job: Row
    rejects: Sequence[Row]
    dead: Sequence[Row]
    errors: Sequence[Row]
    holders: Holders


async def job_row(store: Store, job_id: int) -> Row:
    """Return a job's row. Raises NotFoundError."""
    job = await store.jobs.get(job_id)
    if job is None:
        raise NotFoundError(f"there is no job {job_id}")
    return job


async def job_report(store: Store, job_id: int, *, first: int = 5) -> JobReport:
    """Return a job with its `first` rejects, dead letters and commonest errors. Raises NotFoundError."""
    job = await job_row(store, job_id)
    return JobReport(
        job,
        await store.lines.rejects(job_id=job_id, after=0, limit=first) if job["rejected"] else (),
        await store.item_pages.page_by_outcome(job_id=job_id, status="dead", after=0, limit=first)
        if job["dead"]
        else (),
        await store.outcomes.errors(job_id=job_id, limit=first) if job["dead"] else (),
        await _holders(store, job_id) if job["duplicates"] else Holders(),
    )


async def _holders(store: Store, job_id: int) -> Holders:
    jobs: set[int] = set()
    lines = {"duplicate": 0, "conflict": 0, "dead_holder": 0}
    after = runs = 0
    while page := await store.lines.duplicates(job_id=job_id, after=after, limit=PAGE):
        for run in page:
            jobs.add(run["holder_job_id"])
            lines[run["kind"]] += run["last_line"] - run["first_line"] + 1
        after, runs = page[-1]["last_line"], runs + len(page)
        if len(page) < PAGE or runs >= MOST_RUNS:
            break
    unended = [one for one in sorted(jobs - {job_id})[:PAGE] if await _is_open(store, one)]
    return Holders(
        tuple(sorted(jobs)), lines["conflict"], lines["dead_holder"], tuple(unended), runs < MOST_RUNS
    )


async def _is_open(store: Store, job_id: int) -> bool:
    job = await store.jobs.get(job_id)
    return job is not None and job["ended_at"] is None
