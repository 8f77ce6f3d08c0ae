"""Scheduled ingestion: from the staging table, of a file, of the files in a folder."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from batchanator.domain.errors import NotFoundError
from batchanator.domain.submission import JobOptions, Request, Submitted

SETTLED_SECONDS = 10.0
"""A file that changed less than this ago may still be written: it waits for the next time."""
_NAMED_JOBS = 10


class Submissions(Protocol):
    """Writes new jobs; where there is one from the same request, it is that one, `replayed`."""

    async def file(
        self, job_type: str, path: str, *, name: str | None, options: JobOptions, request: Request | None
    ) -> Submitted: ...

    async def database(
        self, job_type: str, *, options: JobOptions, request: Request | None
    ) -> Submitted | None: ...


class Version(NamedTuple):
    """A file as it is now: `request` is the same as long as it has not changed; `age`: seconds since it did."""

    path: str
    request: Request
    age: float


Look = Callable[[str], Version]
"""Find a file under a source root. Raises NotFoundError."""


@dataclass(frozen=True, slots=True)
class StagingTable:
    submissions: Submissions
    job_type: str
    options: JobOptions

    async def run(self) -> str:
        job = await self.submissions.database(self.job_type, options=self.options, request=None)
        return "nothing was pending" if job is None else f"job {job.job_id}"


class Files:
    """The files that `listing` names; each version of one is submitted once, by whichever scheduler."""

    def __init__(
        self,
        submissions: Submissions,
        job_type: str,
        options: JobOptions,
        *,
        listing: Callable[[], Sequence[str]],
        look: Look,
        all_must_be_there: bool,
    ) -> None:
        self._submissions = submissions
        self._job_type = job_type
        self._options = options
        self._listing = listing
        self._look = look
        self._strict = all_must_be_there
        self._known: set[str] = set()

    async def run(self) -> str:
        found = await asyncio.to_thread(self._find)
        jobs: list[int] = []
        known = {one.request.key for one in found} & self._known
        young = 0
        for one in found:
            if one.request.key in known:
                continue
            if one.age < SETTLED_SECONDS:
                young += 1
                continue
            job = await self._submit(one)
            if job is not None:
                known.add(one.request.key)
                if not job.replayed:
                    jobs.append(job.job_id)
        self._known = known
        return _told(jobs, young)

    def _find(self) -> list[Version]:
        found = []
        for path in self._listing():
            try:
                found.append(self._look(path))
            except NotFoundError:  # in a folder: it went meanwhile, or is no regular file
                if self._strict:
                    raise
        return found

    async def _submit(self, one: Version) -> Submitted | None:
        try:
            return await self._submissions.file(
                self._job_type, one.path, name=None, options=self._options, request=one.request
            )
        except NotFoundError:
            if self._strict:
                raise
            return None


def _told(jobs: Sequence[int], young: int) -> str:
    said = []
    if jobs:
        named = ", ".join(map(str, jobs[:_NAMED_JOBS]))
        more = f" and {len(jobs) - _NAMED_JOBS} more" if len(jobs) > _NAMED_JOBS else ""
        said.append(f"job{'s' if len(jobs) > 1 else ''} {named}{more}")
    if young:
        said.append(f"{young} changed just now and {'wait' if young > 1 else 'waits'} for the next time")
    return "; ".join(said) or "nothing was new"
