"""The serving process: the API in front of a runtime. Sockets first, then the database, for as long as that takes."""

import asyncio
import os
import socket
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import structlog

from batchanator.api.application import build
from batchanator.api.server import Runner
from batchanator.api.service import Gate, Limits, Planned, Service
from batchanator.app.interrupts import Interrupts
from batchanator.app.job_types import resolved
from batchanator.app.listening import Address, bind, listen
from batchanator.app.measuring import Measuring
from batchanator.app.parts import EVERYTHING, Parts
from batchanator.app.processing import Outside
from batchanator.app.readiness import readiness
from batchanator.app.runtime import Runtime
from batchanator.app.schedules import planned
from batchanator.app.tracing import spans_of
from batchanator.domain.access import Caller, Key, implied
from batchanator.domain.errors import UnavailableError
from batchanator.domain.submission import JobOptions
from batchanator.handlers.registry import Registry
from batchanator.settings import ApiKey, Settings
from batchanator.store.operations import Operations
from batchanator.store.statements import Dialect
from batchanator.store.store import Store, driver_for
from batchanator.telemetry.metrics import Metrics
from batchanator.telemetry.sharing import shared_folder

API_CONNECTIONS = 4
REQUEST_GRACE_SECONDS = 5.0
_LONGEST_PAUSE = 5.0
_OPENING = "The database is not open yet."
_STOPPING = "This process is stopping."
_log = structlog.get_logger("batchanator.app")


class Serving:
    """A runtime and the API in front of it. `open` may take for ever, health is answered meanwhile."""

    def __init__(self, settings: Settings, registry: Registry, roots: Sequence[Path], parts: Parts) -> None:
        self.settings = settings
        self.gate = Gate(_OPENING)
        self.metrics = Metrics(shared=shared_folder())
        self.runtime = Runtime(
            settings, registry, tuple(roots), parts, observer=self.metrics, spans=spans_of(settings)
        )
        self.executor = self.runtime.new_executor()
        self.store = self._api_store()
        self.measuring = Measuring(self.metrics, self.runtime, self.store, self.executor)
        self.runner = Runner(
            build(self._service()),
            # aiohttp takes 0 for "wait for ever"
            shutdown_timeout=min(REQUEST_GRACE_SECONDS, max(settings.shutdown_grace_seconds, 0.1)),
        )

    def _api_store(self) -> Store:
        """Return connections for the API alone, so that no load on it keeps work from being settled.

        On SQLite they only read: writes go through the one writer of the process.
        """
        return Store(
            driver_for(
                self.settings.database_url,
                connections=API_CONNECTIONS,
                read_only=self.runtime.store.dialect is Dialect.SQLITE,
            )
        )

    def _service(self) -> Service:
        settings, runtime = self.settings, self.runtime
        own_writer = runtime.store.dialect is not Dialect.SQLITE
        writes = self.store if own_writer else runtime.store
        return Service(
            reads=self.store,
            submissions=runtime.submitter_over(writes),
            uploads=runtime.uploader,
            operations=Operations(writes, runtime.wakeups),
            registry=runtime.registry,
            handling=Outside(
                self.executor,
                {one.job_type: resolved(one, settings).timeout_seconds for one in runtime.registry},
            ),
            readiness=lambda: readiness(runtime, self.executor),
            status=runtime.parts.status,
            triggers=runtime.parts.triggers,
            own_machine_only=settings.loopback and not settings.allow_anonymous and not settings.api_keys,
            keys=[_key(key) for key in settings.api_keys],
            limits=Limits(
                settings.max_items_per_request, settings.max_request_bytes, settings.max_line_bytes
            ),
            defaults=JobOptions(on_duplicate=settings.on_duplicate, strict=settings.strict),
            gate=self.gate,
            observer=self.metrics,
            spans=runtime.spans,
            metrics=self.measuring.text,
            planned=[Planned(job.schedule, job.enabled) for job in planned(settings)],
        )

    async def listen(self, sockets: Sequence[socket.socket] | None = None) -> Sequence[Address]:
        """Listen on `sockets`, or on those that the settings name."""
        if sockets is None:
            sockets = bind(self.settings, self.runtime.parts)
        await self.runner.setup()
        return await listen(self.runner, sockets)

    async def open(self) -> None:
        """Open the database, start the work and let requests in; an unreachable database is tried for ever.

        Raises:
            SchemaError: the schema is not one of this program. StoreError: the database cannot be used at all.
        """
        pause = 0.25
        while True:
            await self.runtime.open(wait=None)
            try:
                await self.store.open()
                await self.runtime.start()
            except UnavailableError as error:
                _log.warning("database.unavailable", error=str(error))
                await self.store.close()
                await self.runtime.store.close()
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                break
        if self.runtime.parts.status:
            self.executor.start()
        self.measuring.start()
        self.gate.closed = None
        _log.info("server.ready", database=self.runtime.store.driver.description)

    async def stop(self, grace: timedelta | None = None) -> None:
        """Take no more requests and no more work, end what there is of both within its grace, release the rest."""
        self.gate.closed = _STOPPING
        async with asyncio.TaskGroup() as group:
            group.create_task(self.runner.cleanup(), name="end requests")
            group.create_task(self.runtime.drain(grace), name="end work")
        await self.measuring.stop()
        await self.executor.close(timedelta(0))
        await self.runtime.stop()
        await self.store.close()


def _key(key: ApiKey) -> Key:
    job_types = frozenset(key.job_types) if key.job_types else None
    return Key(bytes.fromhex(key.sha256), Caller(key.name, implied(key.roles), job_types))


async def serve(
    settings: Settings,
    registry: Registry,
    parts: Parts | None = None,
    *,
    roots: Sequence[Path],
    sockets: Sequence[socket.socket] | None = None,
    on_ready: Callable[[], None] = lambda: None,
) -> int:
    """Serve until SIGTERM or SIGINT, then drain; returns the exit code 0. A second signal ends the process at once.

    Raises:
        SettingsError: an address cannot be listened on. SchemaError, StoreError: the database cannot be used.
    """
    serving = Serving(settings, registry, roots, parts or EVERYTHING)
    with Interrupts() as interrupts:
        await serving.listen(sockets)
        try:
            with interrupts.interruptible():
                await serving.open()
                on_ready()
                await asyncio.Event().wait()
        finally:
            _log.info("server.stopping", pid=os.getpid())
            await serving.stop()
    _log.info("server.stopped")
    return 0
