"""Claim, run, settle: fills the hand, gives slices to the executor, and hands what is finished to the settler."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from time import perf_counter

import structlog

from batchanator.dispatch.claimer import Claimer
from batchanator.dispatch.executor import Executor, Lost
from batchanator.dispatch.hand import Hand
from batchanator.dispatch.held import HeldSlice, JobTypePolicy
from batchanator.dispatch.pacing import Pace
from batchanator.dispatch.settler import Settler
from batchanator.domain.errors import StoreError
from batchanator.domain.observing import NOBODY, Observer
from batchanator.domain.tracing import NO_SPANS, Spans
from batchanator.store.probes import probe
from batchanator.store.records import Claimed, Release
from batchanator.store.store import Store
from batchanator.store.wakeups import Wakeups, wait_for

AWAY_SECONDS = 0.2
"""How often it is asked whether a target that is away may be tried again."""

_STOPPED = Lost("it may not start any more")
_log = structlog.get_logger("batchanator.dispatch")


class Dispatcher:
    def __init__(
        self,
        store: Store,
        executor: Executor,
        policies: Mapping[int, JobTypePolicy],
        wakeups: Wakeups,
        *,
        poll: timedelta,
        jitter: Callable[[], float] = random.random,
        observer: Observer = NOBODY,
        spans: Spans = NO_SPANS,
    ) -> None:
        self._store = store
        self._executor = executor
        self._policies = policies
        self._wakeups = wakeups
        self._poll = poll
        self._jitter = jitter
        self._observer = observer
        self._spans = spans
        self._tasks: dict[asyncio.Task[None], HeldSlice] = {}
        self._claimer = Claimer(store, list(policies))
        self._claiming = asyncio.Lock()
        self._stopping = False
        self._others_gone = asyncio.Event()
        self.hand = Hand(executor.capacity())
        self.settler = Settler(store, self.hand, wakeups, jitter, observer)
        self.worker: str | None = None
        """The incarnation to claim as; None while there is no lease."""
        self.claimed = asyncio.Event()
        """Set at the first claim that found something."""

    async def claim_until_stopped(self) -> None:
        """Claim while there is room; wait for a wake-up or the poll where nothing is ready."""
        pause = 0.05
        while not self._stopping:
            room = 0 if self.hand.busy_with_suspect() else self.hand.room()
            if room <= 0 or self.worker is None:
                await wait_for(self.hand.settled, 0.05)
                continue
            types = [id_ for id_, one in self._policies.items() if self._executor.accepts(one.handler)]
            self._claimer.types = types
            try:
                taken = await self._claim(self.worker, room) if types else 0
                pause = 0.05
            except StoreError as error:
                _log.warning("claim.failed", error=str(error))
                await self._compare_quietly()
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)
                continue
            if not taken and not self._stopping:
                poll = self._claimer.longest_wait(self._poll.total_seconds())
                if len(types) < len(self._policies):
                    poll = min(poll, AWAY_SECONDS)
                await wait_for(self._wakeups.ready, poll * (0.75 + self._jitter() / 2))

    async def _claim(self, worker: str, limit: int) -> int:
        async with self._claiming:
            await probe("claim.before")
            began = perf_counter()
            taken = await self._claimer.claim(worker, limit)
            self._observer.claimed(len(taken), perf_counter() - began)
            await probe("claim.after")
            if worker != self.worker:  # the lease was lost meanwhile: recovery frees what this took
                return 0
            held = [self._hold(claimed, worker) for claimed in taken]
        for one in held:
            self._start(one)
        if held:
            self.claimed.set()
        return len(held)

    def _hold(self, claimed: Claimed, worker: str) -> HeldSlice:
        serial = claimed.suspect or claimed.serial
        policy = self._policies[claimed.job_type_id]
        held = HeldSlice(claimed, policy, worker, serial=serial)
        if claimed.window is not None:
            held.pace = Pace(self._store, claimed, whole=policy.handler.whole_slice)
        self.hand.add(held)
        return held

    def _start(self, held: HeldSlice) -> None:
        name = f"slice {held.key.job_id}:{held.key.first_seq}"
        task = asyncio.get_running_loop().create_task(
            self._run(held) if self._spans is NO_SPANS else self._traced(held), name=name
        )
        self._tasks[task] = held
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        held = self._tasks.pop(task)
        self._others_gone.set()
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _log.error("slice.broke", job=held.key.job_id, slice=held.key.first_seq, exc_info=error)
            held.lost = True
            self.hand.remove(held)

    async def _traced(self, held: HeldSlice) -> None:
        with self._spans.slice(held.told()) as span:
            held.trace = span.trace
            await self._run(held)
            span.tell(Counter(type(one).__name__.lower() for one in held.outcomes if one is not None))

    async def _run(self, held: HeldSlice) -> None:
        claimed = held.claimed
        if held.claimed.suspect:
            await self._until_alone(held)
        if not claimed.seqs:  # nothing due: settles empty and is armed again
            self.hand.finish(held)
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
            self.hand.finish(held)

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
        for other in list(self.hand.slices.values()):
            if other is not held and other.pace is not None:
                self._withdraw(other)  # it may have to wait long for its rate
        while next(iter(self.hand.slices.values())) is not held or len(self.hand.slices) > 1:
            others = [one for one in self.hand.slices.values() if one is not held]
            if all(one.claimed.suspect for one in others) and next(iter(self.hand.slices.values())) is held:
                return
            await wait_for(self._others_gone, 0.05)

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
            await self.settler.flush(held)
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
        await self.settler.flush(held)
        if not held.lost:
            started = held.has_started()
            await self._store.slices.release(worker=held.worker, slices=[Release(*held.key, started)])
        self.hand.remove(held)
        if held.stopped:
            self._wakeups.wake("stopped", "ready")

    async def heed_changes(self) -> None:
        """Start nothing more of what stops, was paused, or runs on other terms now than at its claim.

        What runs already ends by its settle; the rest is given back, and claimed on the new terms if it may be.
        """
        async with self._claiming:  # a claim on its way may bring slices from before the change
            jobs = {held.claimed.job_id for held in self.hand.slices.values()}
            terms = await self._store.jobs.terms(jobs) if jobs else {}
        for held in list(self.hand.slices.values()):
            now = terms.get(held.claimed.job_id)
            if now is not None and (now.halted or now.limits != held.claimed.limits):
                self._withdraw(held)

    def _withdraw(self, held: HeldSlice) -> None:
        if not held.stopped:
            held.stopped = True
            self._executor.withdraw(held)
            if held.pace is not None:
                held.pace.stop()

    # -- the lease ---------------------------------------------------------------------------------------------

    def drop_all(self) -> None:
        """The lease was lost: stop every handler and forget what is held; settles of it would be refused."""
        for task, held in list(self._tasks.items()):
            held.lost = True
            task.cancel()
        for held in list(self.hand.slices.values()):
            held.lost = True
            self.hand.remove(held)
        self.hand.finished.clear()

    async def compare(self) -> None:
        """Free what the database says this worker holds and it does not know: claims whose reply was lost."""
        if self._claiming.locked() or self.worker is None:
            return
        async with self._claiming:
            worker = self.worker
            leased = await self._store.slices.leased_by(worker=worker)
            unknown = leased - self.hand.slices.keys()
            if unknown and worker == self.worker:
                _log.warning("claim.reply_lost", slices=len(unknown))
                await self._store.slices.release(
                    worker=worker, slices=[Release(*key, started=False) for key in unknown]
                )

    async def _compare_quietly(self) -> None:
        try:
            await self.compare()
        except StoreError as error:
            _log.warning("claim.not_compared", error=str(error))

    # -- the end -----------------------------------------------------------------------------------------------

    async def drain(self, grace: timedelta) -> None:
        """Stop claiming, let what runs finish within the grace, settle it, give the rest back without an attempt."""
        self._stopping = True
        self._wakeups.ready.set()
        self.hand.settled.set()
        async with self._claiming:
            pass
        for held in list(self.hand.slices.values()):
            if held.pace is not None:
                self._withdraw(held)
        if self._tasks and grace > timedelta(0):
            await asyncio.wait(self._tasks, timeout=grace.total_seconds())
        left = dict(self._tasks)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)
        await self.settler.settle_all()
        await self.settler.flush_all()
        rest = [held for held in self.hand.slices.values() if not held.lost]
        for worker in {held.worker for held in rest}:
            await self._store.slices.release(
                worker=worker,
                slices=[Release(*held.key, held.has_started()) for held in rest if held.worker == worker],
            )
        for held in rest:
            self.hand.remove(held)
