"""The loop that takes what is due by the database's clock.

Every scheduler of a database looks at every job; who writes the row of a time runs it, and no one else ever does.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from time import monotonic
from typing import assert_never

import structlog

from batchanator.domain.errors import StoreError, UnavailableError
from batchanator.domain.observing import NOBODY, Observer
from batchanator.domain.schedule import Run, Skip, Wait, decide
from batchanator.schedule.runs import LONGEST_PAUSE, CronJob, Runs
from batchanator.store.store import Repositories, Store

LONGEST_SLEEP = 30.0
SHORTEST_SLEEP = 0.005
PRUNE_SECONDS = 3600.0
RUN_AGE = timedelta(days=30)
OVERLAP = "overlap: the run before still goes on"
_log = structlog.get_logger("batchanator.schedule")


class Scheduler:
    """`worker()` is the incarnation to run as, None while there is no lease."""

    def __init__(
        self,
        store: Store,
        jobs: Sequence[CronJob],
        *,
        worker: Callable[[], str | None],
        observer: Observer = NOBODY,
    ) -> None:
        self.runs = Runs(store, worker=worker, observer=observer)
        self._observer = observer
        self._store = store
        self._jobs = jobs
        self._worker = worker
        self._pruned_at = monotonic()
        self._in_doubt: dict[str, datetime] = {}
        self._loop_task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._loop_task = asyncio.get_running_loop().create_task(self._look_for_ever(), name="cron")

    async def _look_for_ever(self) -> None:
        pause = 0.1
        while True:
            try:
                sleep = await self._look_at_all()
            except StoreError as error:
                _log.warning("cron.not_looked_at", error=str(error))
            else:
                pause = 0.1
                await asyncio.sleep(sleep)
                continue
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _look_at_all(self) -> float:
        """Return how many seconds there is nothing to do."""
        sleep = LONGEST_SLEEP
        for job in self._jobs:
            try:
                until, now = await self.look(job)
            except UnavailableError:  # for all of them
                raise
            except Exception:  # noqa: BLE001 - one job must hold up no other
                _log.exception("cron.broke", name=job.name)
                sleep = min(sleep, LONGEST_PAUSE)
                continue
            if until is not None:
                sleep = min(sleep, max((until - now).total_seconds(), SHORTEST_SLEEP))
        if monotonic() - self._pruned_at > PRUNE_SECONDS:
            self._pruned_at = monotonic()
            await self._store.cron_runs.prune(age=RUN_AGE)
        return sleep

    async def look(self, job: CronJob, *, now: datetime | None = None) -> tuple[datetime | None, datetime]:
        """Start the job if it is due, and return when to look again, and the time it is now.

        `now` stands for the database's clock.
        """
        latest, clock = await self._store.cron_runs.latest(name=job.name)
        now = clock if now is None else now
        worker = self._worker()
        if worker is None:
            return None, now
        await self._resolve(job, worker)
        match decide(job.schedule, latest=latest, now=now):
            case Wait(until):
                return until, now
            case Skip(at, reason):
                if await self._store.cron_runs.skip(
                    name=job.name, scheduled_for=at, worker=worker, detail=reason
                ):
                    self._observer.cron_run(job.name, "skipped")
                    _log.info("cron.skipped", name=job.name, scheduled_for=at.isoformat(), reason=reason)
            case Run(at):
                self._in_doubt[job.name] = at
                taken = await self._store.transact(partial(self._take, job.name, at, worker))
                del self._in_doubt[job.name]
                if taken:
                    self.runs.begin(job, at, worker)
            case other:
                assert_never(other)
        return job.schedule.expression.next(now, job.schedule.zone), now

    async def _resolve(self, job: CronJob, worker: str) -> None:
        """Run what was taken without an answer: a run that nobody began would keep its name from running for ever."""
        at = self._in_doubt.get(job.name)
        if at is None:
            return
        row = await self._store.cron_runs.running(name=job.name)
        del self._in_doubt[job.name]
        if row is not None and row["worker"] == worker and row["scheduled_at"] == at:
            self.runs.begin(job, at, worker)

    async def _take(self, name: str, at: datetime, worker: str, tx: Repositories) -> bool:
        """Take the time `at`, unless another did, or a run still goes on: then it is skipped, on record."""
        for lost in await tx.cron_runs.close_lost(name=name):
            self._observer.cron_run(name, "lost")
            _log.warning(
                "cron.lost", name=name, scheduled_for=lost["scheduled_at"].isoformat(), worker=lost["worker"]
            )
        if await tx.cron_runs.begin(name=name, scheduled_for=at, worker=worker):
            return True
        if await tx.cron_runs.running(name=name) and await tx.cron_runs.skip(
            name=name, scheduled_for=at, worker=worker, detail=OVERLAP
        ):
            self._observer.cron_run(name, "skipped")
            _log.warning("cron.skipped", name=name, scheduled_for=at.isoformat(), reason=OVERLAP)
        return False

    def take_no_more(self) -> None:
        if self._loop_task is not None:
            self._loop_task.cancel()

    async def stop(self, grace: timedelta) -> None:
        """Take nothing more, let what runs end within the grace, then end it."""
        self.take_no_more()
        if self._loop_task is not None:
            await asyncio.gather(self._loop_task, return_exceptions=True)
        await self.runs.stop(grace)
