"""What metrics say of now: of the database, asked at a scrape and at most every five seconds, and of this process."""

import asyncio
from time import monotonic, time

import structlog

from batchanator.app.runtime import Runtime
from batchanator.dispatch.executor import Executor
from batchanator.domain.errors import StoreError
from batchanator.store.store import Store
from batchanator.telemetry.metrics import CIRCUITS, STATES, STUCK, Metrics
from batchanator.telemetry.sharing import shared_folder

CACHE_SECONDS = 5.0
MOST_SLICES = 10_000
"""To how many the slices of a state are counted."""

_log = structlog.get_logger("batchanator.app")


class Measuring:
    """`processing` runs what comes by /process."""

    def __init__(self, metrics: Metrics, runtime: Runtime, api_store: Store, processing: Executor) -> None:
        self._metrics = metrics
        self._runtime = runtime
        self._pools = {"work": runtime.store, "api": api_store}
        self._processing = processing
        self._asking = asyncio.Lock()
        self._asked_at = -CACHE_SECONDS
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Note what this process is like, now and then, where another may be the one that is scraped."""
        if shared_folder() is not None:
            self._task = asyncio.get_running_loop().create_task(self._note_for_ever(), name="metrics")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def text(self) -> bytes:
        await self._ask()
        self._note()
        return await asyncio.to_thread(self._metrics.text)

    async def _ask(self) -> None:
        async with self._asking:
            if monotonic() - self._asked_at < CACHE_SECONDS:
                return
            self._asked_at = monotonic()
            try:
                row = await self._pools["api"].slices.backlog(most=MOST_SLICES)
            except StoreError as error:  # what it said last stands, with its age
                _log.warning("metrics.backlog_not_read", error=str(error))
                return
        metrics = self._metrics
        for state in STATES:
            metrics.slices.labels(state).set(row[state])
        for gauge, since in ((metrics.oldest_due, row["due_at"]), (metrics.oldest_ready, row["oldest_at"])):
            gauge.set(0 if since is None else max((row["now_at"] - since).total_seconds(), 0))
        metrics.backlog_read.set(time())

    async def _note_for_ever(self) -> None:
        while True:
            self._note()
            await asyncio.sleep(CACHE_SECONDS)

    def _note(self) -> None:
        metrics, runtime = self._metrics, self._runtime
        for pool, store in self._pools.items():
            used, limit = store.driver.usage
            metrics.connections.labels(pool).set(used)
            metrics.connections_limit.labels(pool).set(limit)
        executors = (
            [self._processing] if runtime.worker is None else [self._processing, runtime.worker.executor]
        )
        for kind in STUCK:
            metrics.stuck.labels(kind).set(sum(executor.stuck.get(kind, 0) for executor in executors))
        if runtime.target is not None:
            for state in CIRCUITS:
                metrics.circuit.labels(state).set(runtime.target.state == state)
        metrics.uploads_running.set(runtime.uploader.running)
