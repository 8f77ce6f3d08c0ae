"""A process that lives for one job: it submits, reads and (where it has the handler) runs, then leaves."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import TypeVar

from batchanator.app.opening import database_name, open_when_there
from batchanator.app.parts import Parts
from batchanator.app.report import job_row
from batchanator.app.runtime import Runtime
from batchanator.app.sources import NamedFile, check_resumable, root_of
from batchanator.app.tuning import tune_collector
from batchanator.domain.errors import StoreError
from batchanator.domain.progress import finished
from batchanator.domain.submission import JobOptions
from batchanator.handlers.registry import Registry
from batchanator.settings import Settings
from batchanator.store.driver import Row
from batchanator.store.store import Store
from batchanator.store.wakeups import wait_for

T = TypeVar("T")
FIRST_LOOK = 0.02
SLOWEST_LOOK = 0.25


class OneShot:
    """`tell` gets a line of text now and then, for a person."""

    def __init__(
        self,
        settings: Settings,
        registry: Registry,
        roots: Sequence[Path],
        *,
        runs: bool,
        tell: Callable[[str], None],
    ) -> None:
        self._tell = tell
        self.runtime = Runtime(settings, registry, tuple(roots), Parts(dispatch=runs, handlers=runs))

    @property
    def database(self) -> str:
        """The database, for people: no password, no statement."""
        return self.runtime.store.driver.description

    async def open(self, *, wait: timedelta) -> None:
        """Open the database and bring its schema up to date; nothing runs yet."""

        async def attempt() -> None:
            await self.runtime.open(wait=timedelta(0))

        await open_when_there(attempt, database_name(self.runtime.settings), wait=wait, tell=self._tell)

    async def start(self) -> None:
        """Become a worker: from now on what the database holds is run here too."""
        await self.runtime.start()
        tune_collector()

    async def go_on(self, job_id: int, file: NamedFile, job_type: str) -> int:
        """Start, with an unfinished job of the file first; returns how many of its items had ended.

        Raises:
            NotFoundError, ConflictError: it is not one of this file and type, or cannot go on.
        """
        store = self.runtime.store
        await check_resumable(store, job_id, file, job_type)
        if (root := await root_of(store, job_id, file, job_type)) is not None:
            self.runtime.roots = (root, *self.runtime.roots)
        done = finished(await job_row(store, job_id))
        await self.start()
        return done

    async def holding(self, job_id: int) -> list[Row]:
        """Return the other living workers that hold something of a job, by the end of their lease."""
        runtime = self.runtime
        await runtime.recover_dead()
        incarnation = None if runtime.lease is None else runtime.lease.incarnation
        return await runtime.store.workers.holding(job_id=job_id, worker=incarnation or "")

    async def submit_file(self, job_type: str, path: Path, *, name: str, options: JobOptions) -> int:
        """Write the job of a file, which lies under one of the roots, and return its id.

        Raises:
            NotFoundError: it is not there. UnknownJobTypeError: there is no such job type.
        """
        submitted = await self.runtime.submitter.file(
            job_type, str(path), name=name, options=options, request=None
        )
        return submitted.job_id

    async def submit_staging(self, job_type: str, *, options: JobOptions) -> int | None:
        """Write the job of the type's staging rows; None where there are none."""
        submitted = await self.runtime.submitter.database(job_type, options=options, request=None)
        return None if submitted is None else submitted.job_id

    async def follow(self, job_id: int, *, until: str) -> AsyncIterator[tuple[Row, float]]:
        """Yield the job's row and the time of a steady clock, until its instant `until` (`ended_at`) is set."""
        ended = self.runtime.wakeups.ended
        async for reading in follow(self.runtime.store, job_id, until=until, tell=self._tell, ended=ended):
            yield reading

    async def close(self) -> None:
        """Finish what runs within the grace, release the rest, and leave."""
        await self.runtime.stop()


async def follow(
    store: Store,
    job_id: int,
    *,
    until: str = "ended_at",
    tell: Callable[[str], None],
    ended: asyncio.Event | None = None,
) -> AsyncIterator[tuple[Row, float]]:
    """Read a job again and again until its instant `until` is set; a database that is away is waited for.

    `ended` is set where this process may have ended it: then it is read at once.
    """
    pause, away = FIRST_LOOK, False
    while True:
        try:
            job = await job_row(store, job_id)
        except StoreError as error:
            if not away:
                tell(f"the database does not answer ({error}); trying again")
            away, pause = True, SLOWEST_LOOK
        else:
            away = False
            yield job, monotonic()
            if job[until] is not None:
                return
        await (asyncio.sleep(pause) if ended is None else wait_for(ended, pause))
        pause = min(pause * 1.5, SLOWEST_LOOK)
