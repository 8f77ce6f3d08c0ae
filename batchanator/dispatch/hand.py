"""Everything that this worker holds: a slice is here from its claim's reply until its settle is answered."""

import asyncio
from collections import deque
from time import monotonic

from batchanator.dispatch.held import HeldSlice
from batchanator.store.records import SliceKey

AHEAD_SECONDS = 0.25
MOST_SLICES = 80


class Hand:
    """Held slices, and how many more to take: enough to keep the runners busy for a moment, no more."""

    def __init__(self, concurrency: int) -> None:
        self.slices: dict[SliceKey, HeldSlice] = {}
        self.finished: deque[HeldSlice] = deque()
        self.settled = asyncio.Event()
        """A slice has left the hand."""
        self.work_done = asyncio.Event()
        """A slice has finished, or has outcomes to be flushed."""
        self._concurrency = concurrency
        self._rate = 0.0
        self._window_began = monotonic()
        self._window_items = 0

    def add(self, held: HeldSlice) -> None:
        self.slices[held.key] = held

    def finish(self, held: HeldSlice) -> None:
        self.finished.append(held)
        self._window_items += len(held.claimed.seqs)
        self.work_done.set()

    def remove(self, held: HeldSlice) -> None:
        if self.slices.get(held.key) is held:
            del self.slices[held.key]
        self.settled.set()

    def running(self) -> int:
        return len(self.slices) - len(self.finished)

    def busy_with_suspect(self) -> bool:
        return any(held.claimed.suspect for held in self.slices.values())

    def room(self) -> int:
        """Return how many slices may be claimed now.

        The aim: items for every runner, and what they finish in a quarter of a second. A rate is measured over the
        last windows, so that slow handlers hold little and fast ones are never starved.
        """
        now = monotonic()
        elapsed = now - self._window_began
        if elapsed > AHEAD_SECONDS:
            rate = self._window_items / elapsed
            self._rate = rate if not self._rate else (self._rate + rate) / 2
            self._window_began, self._window_items = now, 0
        rate = max(self._rate, self._window_items / max(elapsed, 0.02))
        mine = [
            held for held in self.slices.values() if held.pace is None
        ]  # what waits for a rate keeps nobody out
        open_items = sum(_weight(held, held.left) for held in mine)
        wanted = self._concurrency + rate * AHEAD_SECONDS - open_items
        if wanted <= 0 and open_items >= self._concurrency:
            return 0
        mean = 50.0
        if mine:
            weights = sum(_weight(held, len(held.claimed.seqs)) for held in mine)
            mean = max(weights / len(mine), 1.0)
        most = max(MOST_SLICES, 2 * self._concurrency)
        return max(0, min(int(wanted / mean) + 1, most - len(mine)))


def _weight(held: HeldSlice, items: int) -> int:
    """Return how many runners a slice can keep busy: one where its items run one by one, or in one call."""
    return min(items, 1) if held.serial or held.policy.handler.whole_slice else items
