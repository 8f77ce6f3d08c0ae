"""Carries wake-ups between processes where the database can; the poll finds what it does not carry.

A process tells at most once in 50 ms, after the commit, over a connection of its own: NOTIFY inside the transactions
that make work would cost them half of their speed. A connection that ends is opened again, with back-off.
"""

import asyncio
import contextlib
import random
import uuid
from collections.abc import Callable

import structlog

from batchanator.domain.errors import StoreError
from batchanator.store.driver import Driver, Listener
from batchanator.store.wakeups import SHARED, Wakeups, wait_for

CHANNEL = "batchanator"
GATHER_SECONDS = 0.05
PING_SECONDS = 20.0
LONGEST_PAUSE = 10.0
LEAVE_SECONDS = 0.5
_log = structlog.get_logger("batchanator.store")


class Relay:
    def __init__(
        self, driver: Driver, wakeups: Wakeups, *, jitter: Callable[[], float] = random.random
    ) -> None:
        self._driver = driver
        self._wakeups = wakeups
        self._jitter = jitter
        self._name = uuid.uuid4().hex[:12]
        self._task: asyncio.Task[None] | None = None
        self._listener: Listener | None = None
        self._telling = asyncio.Lock()
        self.connected = asyncio.Event()
        """Words go both ways at present."""

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._keep(), name="wake-ups")

    async def stop(self) -> None:
        """Tell what is left to tell, and leave."""
        if self._task is not None and not self._task.done():
            with contextlib.suppress(StoreError, TimeoutError):
                async with asyncio.timeout(LEAVE_SECONDS):
                    if self._wakeups.untold:
                        await self.connected.wait()
                    if self._listener is not None:
                        await self._tell(self._listener)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _keep(self) -> None:
        pause = 0.1
        while True:
            listener = None
            try:
                listener = self._listener = await self._driver.listen(CHANNEL, self._hear)
                if listener is None:  # this database carries no words
                    return
                self._wakeups.wake(*SHARED)  # what was told while nobody heard it
                self.connected.set()
                pause = 0.1
                await self._carry(listener)
                _log.warning("wakeups.lost")
            except StoreError as error:
                _log.warning("wakeups.away", error=str(error))
            finally:
                self.connected.clear()
                self._listener = None
                if listener is not None:
                    await listener.close()
            await asyncio.sleep(pause * (0.5 + self._jitter()))
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _carry(self, listener: Listener) -> None:
        """Tell what there is to tell, until the connection ends."""
        lost = asyncio.get_running_loop().create_task(self._until_lost(listener), name="wake-ups lost")
        try:
            while not listener.lost.is_set():
                await wait_for(self._wakeups.to_tell, PING_SECONDS)
                if not listener.lost.is_set():
                    await self._tell(listener)
                    await asyncio.sleep(GATHER_SECONDS)
        finally:
            lost.cancel()

    async def _tell(self, listener: Listener) -> None:
        async with self._telling:
            words, self._wakeups.untold = self._wakeups.untold, set()
            try:
                await listener.tell(f"{self._name} {','.join(sorted(words))}")
            except StoreError:
                self._wakeups.untold |= words
                raise

    async def _until_lost(self, listener: Listener) -> None:
        await listener.lost.wait()
        self._wakeups.to_tell.set()

    def _hear(self, word: str) -> None:
        sender, _, names = word.partition(" ")
        if sender != self._name:
            told = names.split(",")
            self._wakeups.wake(*(name for name in SHARED if name in told))
