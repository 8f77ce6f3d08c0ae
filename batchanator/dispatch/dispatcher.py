"""Claim, run, settle: fills the hand, gives slices to the executor, and hands what is finished to the settler."""

import asyncio
import random
from collections.abc import Callable, Mapping
from datetime import timedelta
from time import perf_counter

import structlog

from batchanator.dispatch.claimer import Claimer
from batchanator.dispatch.course import Course
from batchanator.dispatch.executor import Executor
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
        self._tasks: dict[asyncio.Task[None], HeldSlice] = {}
        self._claimer = Claimer(store, list(policies))
        self._claiming = asyncio.Lock()
        self._stopping = False
        self.hand = Hand(executor.capacity())
        self.settler = Settler(store, self.hand, wakeups, jitter, observer)
        self._course = Course(store, executor, self.hand, self.settler, wakeups, spans)
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
        task = asyncio.get_running_loop().create_task(self._course.run(held), name=name)
        self._tasks[task] = held
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        held = self._tasks.pop(task)
        self._course.others_gone.set()
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _log.error("slice.broke", job=held.key.job_id, slice=held.key.first_seq, exc_info=error)
            held.lost = True
            self.hand.remove(held)

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
                self._course.withdraw(held)

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
                self._course.withdraw(held)
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
