"""One process of Batchanator, wired: store, lease, worker, ingestion; it runs until it is stopped."""

import asyncio
import os
import random
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import structlog

from batchanator.app.elsewhere import Elsewhere, target_of
from batchanator.app.executors import new_executor
from batchanator.app.hooks import Hooks
from batchanator.app.job_types import policies_of, write_job_types
from batchanator.app.locks import lock_folder
from batchanator.app.parts import Parts
from batchanator.app.scheduling import Scheduling
from batchanator.app.tuning import tune_collector
from batchanator.dispatch.alive import AliveLocks
from batchanator.dispatch.duties import Duties
from batchanator.dispatch.executor import Executor
from batchanator.dispatch.executors.http import HttpExecutor
from batchanator.dispatch.executors.target import Target
from batchanator.dispatch.held import JobTypePolicy
from batchanator.dispatch.lease import Lease
from batchanator.dispatch.worker import Worker, recover_dead
from batchanator.domain.errors import SchemaError, StoreError, UnavailableError
from batchanator.domain.observing import NOBODY, Observer
from batchanator.domain.tracing import NO_SPANS, Spans
from batchanator.handlers.registry import Registry
from batchanator.ingest.filling import Cutting
from batchanator.ingest.ingestor import Ingestor
from batchanator.ingest.reading import SourceReader
from batchanator.ingest.submitting import Submitter
from batchanator.ingest.uploading import Uploader
from batchanator.schedule.scheduler import Scheduler
from batchanator.settings import Settings
from batchanator.store.migrations import migrate
from batchanator.store.relay import Relay
from batchanator.store.store import Store, driver_for
from batchanator.store.wakeups import Wakeups

HEARTBEAT_CONNECTIONS = 1
WORK_CONNECTIONS = 8
CRON_GRACE = timedelta(seconds=3)
_log = structlog.get_logger("batchanator.app")


@dataclass(slots=True)
class Runtime:
    settings: Settings
    registry: Registry
    roots: tuple[Path, ...]
    parts: Parts = field(default_factory=Parts)
    jitter: Callable[[], float] = random.random
    wakeups: Wakeups = field(default_factory=Wakeups)
    observer: Observer = NOBODY
    spans: Spans = NO_SPANS
    store: Store = field(init=False)
    lease: Lease | None = field(default=None, init=False)
    worker: Worker | None = field(default=None, init=False)
    ingestor: Ingestor | None = field(default=None, init=False)
    target: Target | None = field(default=None, init=False)
    elsewhere: Elsewhere | None = field(default=None, init=False)
    scheduler: Scheduler | None = field(default=None, init=False)
    submitter: Submitter = field(init=False)
    uploader: Uploader = field(init=False)
    relay: Relay | None = field(default=None, init=False)
    _hooks: Hooks = field(default_factory=Hooks, init=False)
    _drained: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.store = self._new_store(WORK_CONNECTIONS)
        self.submitter = self.submitter_over(self.store)
        self.uploader = Uploader(
            self.store,
            self.wakeups,
            self.cutting,
            worker=lambda: None if self.lease is None else self.lease.incarnation,
            observer=self.observer,
        )

    @property
    def cutting(self) -> Cutting:
        return Cutting(self.settings.chunk_size, self.settings.max_line_bytes)

    def submitter_over(self, store: Store) -> Submitter:
        """Return what writes new jobs over a store's connections: this runtime's own, or others to its database."""
        return Submitter(
            store,
            self.wakeups,
            roots=self.roots,
            chunk_size=self.settings.chunk_size,
            max_line_bytes=self.settings.max_line_bytes,
            observer=self.observer,
        )

    def _new_store(self, connections: int) -> Store:
        idle = self.settings.lease.total_seconds() * 0.8
        return Store(driver_for(self.settings.database_url, connections=connections, idle_seconds=idle))

    async def open(self, *, wait: timedelta | None = None) -> None:
        """Open the database, waiting for it at most `wait` (None: for ever), and bring its schema up to date."""
        pause, waited = 0.25, 0.0
        while True:
            try:
                await self.store.open()
                applied = await migrate(self.store.driver)
            except SchemaError:
                await self.store.close()
                raise
            except UnavailableError as error:
                await self.store.close()
                if wait is not None and waited >= wait.total_seconds():
                    raise
                _log.warning("database.unavailable", error=str(error), database=self.store.driver.description)
            else:
                for migration in applied:
                    _log.info("migration.applied", version=migration.version, name=migration.name)
                return
            await asyncio.sleep(pause)
            waited += pause
            pause = min(pause * 2, 5.0)

    async def start(self) -> None:
        """Start what this process runs; `open` was called."""
        settings = self.settings
        if self.relay is None:
            self.relay = Relay(self.store.driver, self.wakeups, jitter=self.jitter)
            self.relay.start()
        ids = await write_job_types(self.store, self.registry, settings)
        if self.parts.handlers:
            await self._hooks.start(
                one for one in self.registry if one.place == "here"
            )  # children start their own
        if not self.parts.roles:
            return
        locks = AliveLocks(lock_folder(settings))
        self.lease = Lease(
            self.store,
            lambda: self._new_store(HEARTBEAT_CONNECTIONS),
            locks,
            lease=settings.lease,
            interval=settings.heartbeat,
            host=socket.gethostname(),
            pid=os.getpid(),
            roles=self.parts.roles,
        )
        await self.lease.start()
        if self.parts.dispatch:
            await self._start_worker(self.lease, locks, ids)
        tune_collector()
        if self.parts.ingest:
            self._start_ingestor(self.lease)
        if self.parts.schedule:
            self._start_scheduler(self.lease)

    async def _start_worker(self, lease: Lease, locks: AliveLocks, ids: Mapping[str, int]) -> None:
        settings = self.settings
        policies: Mapping[int, JobTypePolicy]
        executor: Executor
        if self.parts.handlers:
            policies, executor = policies_of(self.registry, ids, settings), self.new_executor()
        else:
            policies, executor = await self._handlers_elsewhere()
        self.worker = Worker(
            self.store,
            lease,
            locks,
            policies,
            self.wakeups,
            executor=executor,
            poll=settings.poll,
            heartbeat=settings.heartbeat,
            max_crashes=settings.max_crashes,
            jitter=self.jitter,
            observer=self.observer,
            spans=self.spans,
        )
        self.worker.start()

    def new_executor(self) -> Executor:
        """Return what runs the handlers of this process, not started yet."""
        return new_executor(self.registry, self.settings)

    async def _handlers_elsewhere(self) -> tuple[Mapping[int, JobTypePolicy], Executor]:
        self.target = target_of(self.settings, self.spans)
        self.elsewhere = Elsewhere(self.store, self.target, self.settings)
        await self.elsewhere.start()
        return self.elsewhere.policies, HttpExecutor(self.target, self.settings.max_concurrency_per_worker)

    def _start_ingestor(self, lease: Lease) -> None:
        settings = self.settings
        reader = SourceReader(
            self.store,
            self.wakeups,
            roots=self.roots,
            cutting=self.cutting,
            observer=self.observer,
        )
        self.ingestor = Ingestor(
            self.store,
            reader,
            self.wakeups,
            worker=lambda: lease.incarnation,
            recover_dead=self.recover_dead,
            end_broken=self.uploader.end_broken,
            poll=settings.poll,
        )
        self.ingestor.start()

    async def recover_dead(self) -> None:
        """Free at once what workers of this host held that are known to be dead (SQLite)."""
        if self.lease is not None:
            duties = self._duties()
            await recover_dead(self.lease, duties, self.wakeups)

    def _duties(self) -> Duties:
        return Duties(self.store, max_crashes=self.settings.max_crashes, observer=self.observer)

    def _start_scheduler(self, lease: Lease) -> None:
        scheduling = Scheduling(
            self.settings,
            self.store,
            self.wakeups,
            lease,
            submitter=self.submitter,
            roots=self.roots,
            duties=self.worker.duties if self.worker else self._duties(),
            observer=self.observer,
        )
        self.scheduler = scheduling.scheduler()
        self.scheduler.start()

    async def drain(self, grace: timedelta | None = None) -> None:
        """Stop claiming and reading, finish within the grace, release the rest; the lease goes on."""
        self._drained = True
        grace = self.settings.shutdown_grace if grace is None else grace
        try:
            if self.scheduler is not None:
                self.scheduler.take_no_more()
            if self.ingestor is not None:
                await self.ingestor.stop()
            if self.worker is not None:
                await self.worker.stop(grace)
            if self.scheduler is not None:
                await self.scheduler.stop(min(grace, CRON_GRACE))
        except StoreError as error:
            _log.error("process.not_stopped_cleanly", error=str(error))

    async def stop(self, grace: timedelta | None = None) -> None:
        """Drain, where that was not done yet; end the lease, close the database."""
        if not self._drained:
            await self.drain(grace)
        try:
            self.uploader.close()
            if self.elsewhere is not None:
                await self.elsewhere.stop()
            await self._hooks.stop()
            if self.lease is not None:
                await self.lease.stop()
        except StoreError as error:
            _log.error("process.not_stopped_cleanly", error=str(error))
        finally:
            if self.relay is not None:
                await self.relay.stop()
            await self.store.close()
