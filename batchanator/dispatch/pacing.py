"""When the items of a held slice may start: at the rate of its job and its job type, over all workers."""

import asyncio
import contextlib
from functools import partial
from math import floor
from time import monotonic

import structlog

from batchanator.domain.errors import StoreError
from batchanator.store.limited import draw, starts_of
from batchanator.store.records import Claimed, Window
from batchanator.store.store import Store

SHORTEST_WAIT = 0.002
_log = structlog.get_logger("batchanator.dispatch")


class Pace:
    """The starts of one held slice, taken out of the account some at a time. With `whole` all of them are one start."""

    def __init__(self, store: Store, claimed: Claimed, *, whole: bool) -> None:
        self._store = store
        self._claimed = claimed
        self._whole = whole
        self._left = len(claimed.seqs)
        self._window = claimed.window
        self._used = 0
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Let nothing more start."""
        self._stopped.set()

    async def next(self, most: int) -> int:
        """Wait until an item may start, and return how many may by now, at most `most`; 0 once it was stopped."""
        while not self._stopped.is_set():
            window = self._window
            if window is None:
                return most  # the rate was lifted
            now = monotonic()
            due = floor((now - window.begins) * window.per_second) + 1
            if self._whole:
                if self._left > window.items:
                    await self._charge(self._left - window.items)
                    self._left = window.items
                elif due > 0:
                    return most
                else:
                    await self._wait(window.begins - now)
                continue
            count = min(due - self._used, window.items - self._used, most)
            if count > 0:
                self._used += count
                self._left -= count
                return count
            if self._used >= window.items:
                await self._draw()
            else:
                await self._wait(window.begins + self._used / window.per_second - now)
        return 0

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(seconds, SHORTEST_WAIT)):
                await self._stopped.wait()

    async def _draw(self) -> None:
        self._window = await self._charge(starts_of(self._claimed.limits, max(self._left, 1)))
        self._used = 0

    async def _charge(self, items: int) -> Window | None:
        while not self._stopped.is_set():
            try:
                return await self._store.transact(partial(draw, claimed=self._claimed, items=items))
            except StoreError as error:
                _log.warning("rate.not_drawn", error=str(error))
                await self._wait(0.5)
        return self._window
