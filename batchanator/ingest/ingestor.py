"""The loop that finds jobs whose source is still to be read, and reads a few at a time."""

import asyncio
import random
import socket
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import msgspec
import structlog

from batchanator.domain.errors import StoreError
from batchanator.ingest.reading import SourceReader
from batchanator.store.driver import Row
from batchanator.store.store import Store
from batchanator.store.wakeups import Wakeups, wait_for

MOST_SOURCES = 4
_log = structlog.get_logger("batchanator.ingest")


class Ingestor:
    """`worker()` is the incarnation to read as, None while there is no lease.

    `recover_dead` frees what workers held that are known to be dead. `end_broken` ends uploads whose process is gone.
    """

    def __init__(
        self,
        store: Store,
        reader: SourceReader,
        wakeups: Wakeups,
        *,
        worker: Callable[[], str | None],
        recover_dead: Callable[[], Awaitable[object]],
        end_broken: Callable[[], Awaitable[object]],
        poll: timedelta,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._reader = reader
        self._wakeups = wakeups
        self._worker = worker
        self._recover_dead = recover_dead
        self._end_broken = end_broken
        self._poll = poll.total_seconds()
        self._jitter = jitter
        self._reading: dict[int, asyncio.Task[None]] = {}
        self._loop_task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._loop_task = asyncio.get_running_loop().create_task(self._run(), name="ingestion")

    async def _run(self) -> None:
        pause = 0.1
        while True:
            try:
                await self._recover_dead()  # a source whose reader is known to be dead is free at once
                await self._end_broken()
                await self._take_some()
                pause = 0.1
            except StoreError as error:
                _log.warning("ingestion.not_looked_for", error=str(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)
                continue
            await wait_for(self._wakeups.sources, self._poll * (0.75 + self._jitter() / 2))

    async def _take_some(self) -> None:
        worker = self._worker()
        if worker is None or len(self._reading) >= MOST_SOURCES:
            return
        after = 0  # page by page: jobs whose source is elsewhere must not hide those whose source is here
        while page := await self._store.jobs.to_ingest(worker=worker, after=after):
            after = page[-1]["id"]
            await self._take(page, worker)

    async def _take(self, page: Sequence[Row], worker: str) -> None:
        for row in page:
            if row["id"] in self._reading or len(self._reading) >= MOST_SOURCES or not self._is_here(row):
                continue
            job = await self._store.jobs.take_ingestion(job_id=row["id"], worker=worker)
            if job is None:
                continue
            _log.info("ingestion.started", job=job["id"], line=job["line"])
            task = asyncio.get_running_loop().create_task(self._read(job), name=f"ingest {job['id']}")
            self._reading[job["id"]] = task

    async def _read(self, job: Row) -> None:
        try:
            kinds = await self._store.job_types.list()
            kind = next(kind for kind in kinds if kind["id"] == job["job_type_id"])
            await self._reader.read(job, kind)
        except StoreError as error:
            _log.warning("ingestion.interrupted", job=job["id"], error=str(error))
            await asyncio.sleep(0.5)
        except Exception:  # noqa: BLE001 - logged, and the source is taken again
            _log.exception("ingestion.broke", job=job["id"])
            await asyncio.sleep(5)
        finally:
            self._reading.pop(job["id"], None)
            self._wakeups.sources.set()

    def _is_here(self, row: Row) -> bool:
        """A file is read where it was submitted from, under the same source root; the staging table anywhere."""
        source: dict[str, Any] = msgspec.json.decode(row["source"])
        if row["source_kind"] != "file":
            return True
        return source.get("host") == socket.gethostname() and source.get("root") in self._reader.known_roots

    @property
    def idle(self) -> bool:
        return not self._reading

    async def stop(self) -> None:
        """Stop at the last checkpoint and give the sources back."""
        tasks = [task for task in (self._loop_task, *self._reading.values()) if task is not None]
        jobs = list(self._reading)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        worker = self._worker()
        for job_id in jobs:
            if worker is not None:
                await self._give_back(job_id, worker)
        self._reader.close()

    async def _give_back(self, job_id: int, worker: str) -> None:
        try:
            job = await self._store.jobs.take_ingestion(job_id=job_id, worker=worker)
            if job is not None:
                await self._store.jobs.leave_ingestion(job_id=job_id, ingest_fence=job["ingest_fence"])
        except StoreError as error:
            _log.warning("ingestion.not_given_back", job=job_id, error=str(error))
