"""Runs that this process carries out: their work, and how it ended, on record."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import structlog

from batchanator.domain.errors import BatchanatorError, StoreError
from batchanator.domain.masking import escape_controls, mask_credentials
from batchanator.domain.observing import NOBODY, Observer
from batchanator.domain.schedule import Schedule
from batchanator.store.probes import probe
from batchanator.store.store import Store

LONGEST_PAUSE = 5.0
DETAIL_LENGTH = 500
STOPPED = "stopped with its process"
_log = structlog.get_logger("batchanator.schedule")


@dataclass(frozen=True, slots=True)
class CronJob:
    """`run` does the work and says in a few words what it did."""

    schedule: Schedule
    run: Callable[[], Awaitable[str]]

    @property
    def name(self) -> str:
        return self.schedule.name


class Runs:
    """`worker()` is the incarnation of this process, None while there is no lease."""

    def __init__(
        self, store: Store, *, worker: Callable[[], str | None], observer: Observer = NOBODY
    ) -> None:
        self._store = store
        self._observer = observer
        self._worker = worker
        self._running: set[asyncio.Task[None]] = set()
        self._stopping = False

    def begin(self, job: CronJob, at: datetime, worker: str) -> None:
        """Carry out the job for the time `at`, which was taken as `worker`."""
        run = self._carry_out(job, at, worker)
        task = asyncio.get_running_loop().create_task(run, name=f"cron {job.name}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _carry_out(self, job: CronJob, at: datetime, worker: str) -> None:
        _log.info("cron.started", name=job.name, scheduled_for=at.isoformat(), worker=worker)
        await probe("cron.begun")
        try:
            detail = await job.run()
        except asyncio.CancelledError:
            await self._finish(job.name, at, worker, "failed", STOPPED)
            raise
        except BatchanatorError as error:
            await self._finish(job.name, at, worker, "failed", str(error))
        except Exception as error:  # noqa: BLE001 - a job that fails must stop no other
            _log.exception("cron.run_broke", name=job.name)
            await self._finish(job.name, at, worker, "failed", type(error).__name__)
        else:
            await self._finish(job.name, at, worker, "succeeded", detail)

    async def _finish(
        self, name: str, at: datetime, worker: str, result: Literal["succeeded", "failed"], detail: str
    ) -> None:
        """Write the end of a run, again and again while the database is away and the lease is ours."""
        detail = escape_controls(mask_credentials(detail))[:DETAIL_LENGTH]
        pause, told = 0.1, {"name": name, "scheduled_for": at.isoformat(), "detail": detail}
        while True:
            try:
                took = await self._store.cron_runs.finish(
                    name=name, scheduled_for=at, worker=worker, result=result, detail=detail
                )
            except StoreError as error:
                _log.warning("cron.not_recorded", error=str(error), **told)
                if self._stopping or self._worker() != worker:
                    return
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            if took is not None:
                self._observer.cron_run(name, result)
            seconds = None if took is None else took.total_seconds()  # None: closed as lost meanwhile
            if result == "succeeded":
                _log.info("cron.finished", seconds=seconds, **told)
            else:
                _log.error("cron.failed", seconds=seconds, **told)
            return

    def drop_all(self) -> None:
        """The lease was lost: others may close what runs here as lost and go on."""
        for task in self._running:
            task.cancel()

    async def idle(self) -> None:
        """Wait until nothing runs."""
        while self._running:
            await asyncio.wait(self._running)

    async def stop(self, grace: timedelta) -> None:
        """Let what runs end within the grace, then end it."""
        self._stopping = True
        try:
            async with asyncio.timeout(grace.total_seconds()):
                await self.idle()
        except TimeoutError:
            self.drop_all()
            await asyncio.gather(*self._running, return_exceptions=True)
