"""Settles what has finished, several slices in a statement, gathered while one is in flight; flushes slow work.

A settle that fails is sent again for ever, with back-off: an outcome is never dropped, and the slices stay in hand, so
that nothing new is claimed meanwhile. No row for a slice means done or stale; it is counted, and never run again.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter_ns

import structlog

from batchanator.dispatch.hand import Hand
from batchanator.dispatch.held import HeldSlice
from batchanator.dispatch.recording import record
from batchanator.domain.errors import StoreError, UnavailableError
from batchanator.domain.observing import NOBODY, Observer
from batchanator.store.probes import probe
from batchanator.store.records import ItemOutcome, Settled, SliceOutcome
from batchanator.store.store import Store
from batchanator.store.wakeups import Wakeups, wait_for

MOST_SLICES = 40
FEW_SLICES = 10
GATHER_SECONDS = 0.02
FLUSH_NS = 250_000_000
FLUSH_SECONDS = 0.25
_log = structlog.get_logger("batchanator.dispatch")


class Settler:
    def __init__(
        self,
        store: Store,
        hand: Hand,
        wakeups: Wakeups,
        jitter: Callable[[], float],
        observer: Observer = NOBODY,
    ) -> None:
        self._store = store
        self._hand = hand
        self._wakeups = wakeups
        self._jitter = jitter
        self._observer = observer
        self._lock = asyncio.Lock()
        self.stale_settles = 0
        """How many slices were settled or flushed too late: their outcomes were refused, and are another worker's."""

    async def run(self) -> None:
        """Settle until cancelled."""
        hand = self._hand
        while True:
            if not hand.finished:
                await wait_for(hand.work_done, FLUSH_SECONDS)
            if hand.finished and len(hand.finished) < FEW_SLICES and hand.running() > 0:
                await wait_for(hand.work_done, GATHER_SECONDS)
            await self.settle_once()

    async def settle_once(self) -> None:
        """Settle a part of what has finished, and flush what is slow."""
        async with self._lock:
            part = [self._hand.finished.popleft() for _ in range(min(len(self._hand.finished), MOST_SLICES))]
            now_ns = perf_counter_ns()
            slow = [held for held in self._hand.slices.values() if _wants_flush(held, now_ns)]
            if part or slow:
                try:
                    await self._send(part, slow)
                except BaseException:
                    self._hand.finished.extendleft(held for held in reversed(part) if not held.lost)
                    raise

    async def settle_all(self) -> None:
        while self._hand.finished:
            await self.settle_once()

    async def flush(self, held: HeldSlice) -> None:
        """Write what a slice has so far and return when it is committed; a suspect's next item waits for it."""
        async with self._lock:
            await self._send([], [held])

    async def flush_all(self) -> None:
        async with self._lock:
            await self._send([], [held for held in self._hand.slices.values() if _has_news(held)])

    async def _send(self, closing: Sequence[HeldSlice], flushing: Sequence[HeldSlice]) -> None:
        closing = [held for held in closing if not held.lost]
        flushing = [held for held in flushing if not held.lost and _has_news(held)]
        for worker in {held.worker for held in (*closing, *flushing)}:
            await self._send_for(
                worker,
                [held for held in closing if held.worker == worker],
                [held for held in flushing if held.worker == worker],
            )

    async def _send_for(
        self, worker: str, closing: Sequence[HeldSlice], flushing: Sequence[HeldSlice]
    ) -> None:
        now_ns = perf_counter_ns()
        slices: list[SliceOutcome] = []
        items: list[ItemOutcome] = []
        sent: list[tuple[HeldSlice, list[int], Mapping[str, int]]] = []
        for held, closes in [(held, True) for held in closing] + [(held, False) for held in flushing]:
            row, rows = record(held, closing=closes, now_ns=now_ns, jitter=self._jitter)
            slices.append(row)
            items += rows
            sent.append((held, [item.seq for item in rows], _counts(row, rows)))
        settled = await self._until_answered(worker, slices, items)
        held_keys = {(one.job_id, one.first_seq) for one in settled}
        for held, seqs, counts in sent:
            accepted = held.key[:2] in held_keys
            if accepted:
                self._observer.ended(held.policy.handler.job_type, counts)
            else:
                self.stale_settles += 1
                self._observer.refused()
                held.lost = True
                _log.warning(
                    "settle.refused", job=held.key.job_id, slice=held.key.first_seq, fence=held.key.fence
                )
            held.flushed.update(seqs)
            held.flushed_ns = perf_counter_ns()
        for held in closing:
            self._hand.remove(held)
        if any(held.serial for held in closing):  # a cap has room again, here and for others
            self._wakeups.tell("ready")
        for one in settled:
            if one.due_at is not None:
                self._wakeups.due.set()
        for job_id in {one.job_id for one in settled if one.job_ended}:
            _log.info("job.ended", job=job_id)
            self._wakeups.ended.set()

    async def _until_answered(
        self, worker: str, slices: Sequence[SliceOutcome], items: Sequence[ItemOutcome]
    ) -> list[Settled]:
        pause = 0.05
        while True:
            try:
                await probe("settle.before")
                began = perf_counter_ns()
                settled = await self._store.slices.settle(worker=worker, slices=slices, items=items)
            except StoreError as error:
                _log.warning("settle.failed", error=str(error), slices=len(slices))
                if not isinstance(error, UnavailableError) and len(slices) > 1:
                    return await self._one_by_one(worker, slices, items)
            else:
                self._observer.settled(len(slices), (perf_counter_ns() - began) / 1e9)
                await probe("settle.after")
                return settled
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)

    async def _one_by_one(
        self, worker: str, slices: Sequence[SliceOutcome], items: Sequence[ItemOutcome]
    ) -> list[Settled]:
        """A statement that the database refuses for its data must not hold up its neighbours."""
        settled: list[Settled] = []
        for one in slices:
            own = [item for item in items if (item.job_id, item.first_seq) == (one.job_id, one.first_seq)]
            settled += await self._until_answered(worker, [one], own)
        return settled


def _counts(row: SliceOutcome, rows: Sequence[ItemOutcome]) -> Mapping[str, int]:
    """Count a slice's outcomes: the plain ones are a number already."""
    counts = Counter(one.status for one in rows) if rows else Counter()
    if row.plain:
        counts["succeeded"] += row.plain
    return counts


def _has_news(held: HeldSlice) -> bool:
    done = len(held.claimed.seqs) - held.left
    return done > len(held.flushed)


def _wants_flush(held: HeldSlice, now_ns: int) -> bool:
    """Tell whether the slice has been running for so long, not waiting for its turn: that would flush each of many."""
    if held.left == 0 or not _has_news(held):
        return False
    began_ns = held.started_ns[held.claimed.seqs[0] - held.claimed.first_seq]
    return now_ns - max(held.flushed_ns, began_ns) > FLUSH_NS
