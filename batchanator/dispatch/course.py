"""The course of a held slice: at once, at its pace, or one by one, alone where it is suspect; else it is given back."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import structlog

from batchanator.dispatch.executor import Executor, Lost
from batchanator.dispatch.hand import Hand
from batchanator.dispatch.held import HeldSlice
from batchanator.dispatch.pacing import Pace
from batchanator.dispatch.settler import Settler
from batchanator.domain.errors import StoreError
from batchanator.domain.tracing import NO_SPANS, Spans
from batchanator.store.probes import probe
from batchanator.store.records import Release
from batchanator.store.store import Store
from batchanator.store.wakeups import Wakeups, wait_for

_STOPPED = Lost("it may not start any more")
_log = structlog.get_logger("batchanator.dispatch")


class Course:
    """`others_gone` is set whenever a slice has come to its end."""

    def __init__(
        self, store: Store, executor: Executor, hand: Hand, settler: Settler, wakeups: Wakeups, spans: Spans
    ) -> None:
        self._store = store
        self._executor = executor
        self._hand = hand
        self._settler = settler
        self._wakeups = wakeups
        self._spans = spans
        self.others_gone = asyncio.Event()

    async def run(self, held: HeldSlice) -> None:
        """Run what is held to its end: settled by the settler, or given back."""
        if self._spans is NO_SPANS:
            await self._run(held)
            return
        with self._spans.slice(held.told()) as span:
            held.trace = span.trace
            await self._run(held)
            span.tell(Counter(type(one).__name__.lower() for one in held.outcomes if one is not None))

    async def _run(self, held: HeldSlice) -> None:
        claimed = held.claimed
        if held.claimed.suspect:
            await self._until_alone(held)
        if not claimed.seqs:  # nothing due: settles empty and is armed again
            self._hand.finish(held)
            return
        indexes: list[int] | None = None
        if not held.read_payloads():
            raw = await self._payloads(held)
            indexes = held.read_each(raw)
        lost: Lost | None = None
        if held.serial:
            lost = await self._one_by_one(held, indexes)
        elif held.pace is not None:
            lost = await self._at_its_pace(held, held.pace, indexes)
        elif indexes is None or indexes:
            lost = await self._execute(held, indexes)
        if lost is not None:
            await self._give_back(held)
        elif not held.lost:
            self._hand.finish(held)

    async def _execute(self, held: HeldSlice, indexes: list[int] | None) -> Lost | None:
        if held.stopped:
            return _STOPPED
        return await self._executor.run(held.work(indexes), held)

    async def _one_by_one(self, held: HeldSlice, indexes: Sequence[int] | None) -> Lost | None:
        for index in range(len(held.claimed.seqs)) if indexes is None else indexes:
            if held.pace is not None:
                await held.pace.next(1)
            lost = await self._one_alone(held, index)
            if lost is not None:
                return lost
        return None

    async def _at_its_pace(self, held: HeldSlice, pace: Pace, indexes: Sequence[int] | None) -> Lost | None:
        """Start items as the rate lets them, without waiting for those that run."""
        left = list(range(len(held.claimed.seqs)) if indexes is None else indexes)
        running: list[asyncio.Task[Lost | None]] = []
        async with asyncio.TaskGroup() as group:
            while left and (count := await pace.next(len(left))):
                part, left = left[:count], left[count:]
                running.append(group.create_task(self._execute(held, part), name="paced items"))
        lost = [task.result() for task in running if task.result() is not None]
        return _STOPPED if left else next(iter(lost), None)

    async def _until_alone(self, held: HeldSlice) -> None:
        """Wait until this worker holds nothing else; a second suspect waits for the first."""
        for other in list(self._hand.slices.values()):
            if other is not held and other.pace is not None:
                self.withdraw(other)  # it may have to wait long for its rate
        while next(iter(self._hand.slices.values())) is not held or len(self._hand.slices) > 1:
            others = [one for one in self._hand.slices.values() if one is not held]
            if all(one.claimed.suspect for one in others) and next(iter(self._hand.slices.values())) is held:
                return
            await wait_for(self.others_gone, 0.05)

    async def _one_alone(self, held: HeldSlice, index: int) -> Lost | None:
        """Run one item by itself; of a suspect, its start is named first, and its outcome committed before the next."""
        seq = held.claimed.seqs[index]
        if held.stopped:
            return _STOPPED
        if held.claimed.suspect:
            if not await self._mark(held, seq):
                held.lost = True
                return Lost("the lease was lost")
            await probe("suspect.before_item")
        lost = await self._execute(held, [index])
        if lost is None and held.claimed.suspect and held.left > 0:
            await self._settler.flush(held)
        return lost

    async def _mark(self, held: HeldSlice, seq: int) -> bool:
        while True:
            try:
                return await self._store.slices.mark_running(worker=held.worker, key=held.key, seq=seq)
            except StoreError as error:
                _log.warning("suspect.not_marked", error=str(error))
                await asyncio.sleep(0.5)

    async def _payloads(self, held: HeldSlice) -> dict[int, str]:
        claimed = held.claimed
        while True:
            try:
                return await self._store.items.payloads(
                    job_id=claimed.job_id, first_seq=claimed.first_seq, last_seq=claimed.last_seq
                )
            except StoreError as error:
                _log.warning("payloads.not_read", error=str(error))
                await asyncio.sleep(0.5)

    async def _give_back(self, held: HeldSlice) -> None:
        await self._settler.flush(held)
        if not held.lost:
            started = held.has_started()
            await self._store.slices.release(worker=held.worker, slices=[Release(*held.key, started)])
        self._hand.remove(held)
        if held.stopped:
            self._wakeups.wake("stopped", "ready")

    def withdraw(self, held: HeldSlice) -> None:
        if not held.stopped:
            held.stopped = True
            self._executor.withdraw(held)
            if held.pace is not None:
                held.pace.stop()
