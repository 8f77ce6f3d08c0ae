"""The heartbeat: renews the worker's lease from a thread of its own, over a connection of its own.

So that neither a handler that blocks the event loop nor a busy pool costs the lease. A lease that has run out is never
extended: the worker is told, and takes a new incarnation.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from datetime import timedelta
from time import monotonic

import structlog

from batchanator.domain.errors import UnavailableError
from batchanator.store.store import Store

_log = structlog.get_logger("batchanator.dispatch")
RETRY_SECONDS = 0.5


class Heartbeat:
    """`lost(incarnation)` and `beaten(incarnation)` are called on the loop that started it."""

    def __init__(
        self,
        open_store: Callable[[], Store],
        *,
        lease: timedelta,
        interval: timedelta,
        lost: Callable[[str], None],
        beaten: Callable[[str], None],
    ) -> None:
        self._open_store = open_store
        self._lease = lease
        self._interval = min(interval, lease / 3)
        self._lost = lost
        self._beaten = beaten
        self._incarnation: str | None = None
        self._valid_until = 0.0
        self._draining = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._own_loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None
        self._stopping = False

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    def watch(self, incarnation: str, registered_at: float) -> None:
        """Renew this incarnation from now on; `registered_at` (monotonic) is when its lease began at the latest."""
        self._valid_until = registered_at + self._lease.total_seconds()
        self._incarnation = incarnation

    def drain(self) -> None:
        self._draining = True

    def beat_now(self) -> None:
        """Beat out of turn: whoever has reason to doubt the lease learns at once whether it is lost."""
        if self._own_loop is not None and self._wake is not None:
            with contextlib.suppress(RuntimeError):  # it has ended by itself
                self._own_loop.call_soon_threadsafe(self._wake.set)

    async def stop(self) -> None:
        self._incarnation = None
        self._stopping = True
        self.beat_now()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, 15)

    def _run(self) -> None:
        asyncio.run(self._beat_until_stopped())

    async def _beat_until_stopped(self) -> None:
        self._own_loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        store: Store | None = None
        try:
            while not self._stopping:
                pause = self._interval.total_seconds()
                incarnation = self._incarnation
                if incarnation is not None:
                    try:
                        if store is None:
                            store = self._open_store()
                            await store.open()
                        await self._beat(store, incarnation)
                    except Exception as error:  # noqa: BLE001 - a heart that stops beating is found too late
                        _log.warning("heartbeat.failed", error=str(error))
                        pause = min(pause, RETRY_SECONDS)
                        self._judge(incarnation)
                        await _closed(store)
                        store = None
                else:
                    pause = min(pause, RETRY_SECONDS)
                try:
                    async with asyncio.timeout(pause):
                        await self._wake.wait()
                except TimeoutError:
                    continue
                self._wake.clear()
        finally:
            if store is not None:
                await store.close()

    async def _beat(self, store: Store, incarnation: str) -> None:
        began = monotonic()
        try:
            async with asyncio.timeout(max(self._lease.total_seconds() / 2, 1)):
                renewed = await store.workers.beat(
                    worker=incarnation, lease=self._lease, draining=self._draining
                )
        except TimeoutError as error:
            raise UnavailableError("no answer to a heartbeat") from error
        if renewed:
            if self._incarnation == incarnation:
                self._valid_until = began + self._lease.total_seconds()
            self._call(self._beaten, incarnation)
        else:
            self._give_up(incarnation)

    def _judge(self, incarnation: str) -> None:
        """Give the lease up a margin before it ends where no beat got through: what runs could not settle anyway."""
        margin = self._lease.total_seconds() * 0.1
        if monotonic() > self._valid_until - margin:
            self._give_up(incarnation)

    def _give_up(self, incarnation: str) -> None:
        if self._incarnation == incarnation:
            self._incarnation = None
            self._call(self._lost, incarnation)

    def _call(self, what: Callable[[str], None], incarnation: str) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(what, incarnation)


async def _closed(store: Store | None) -> None:
    if store is not None:
        try:
            await store.close()
        except Exception:  # noqa: BLE001 - it is thrown away
            _log.debug("heartbeat.not_closed")
