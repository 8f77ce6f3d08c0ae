"""The loops of a worker that runs handlers: claim, settle, and the standing duties."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from time import monotonic

import structlog

from batchanator.dispatch.alive import AliveLocks
from batchanator.dispatch.dispatcher import Dispatcher
from batchanator.dispatch.duties import Duties
from batchanator.dispatch.executor import Executor
from batchanator.dispatch.held import JobTypePolicy
from batchanator.dispatch.lease import Lease
from batchanator.domain.errors import StoreError
from batchanator.domain.observing import NOBODY, Observer
from batchanator.domain.tracing import NO_SPANS, Spans
from batchanator.store.store import Store
from batchanator.store.wakeups import Wakeups, wait_for

PROMOTE_SECONDS = 0.05
PRUNE_SECONDS = 3600.0
DRAIN_SECONDS = 3.0
WATCH_SECONDS = 0.9
_log = structlog.get_logger("batchanator.dispatch")


async def recover_dead(lease: Lease, duties: Duties, wakeups: Wakeups) -> None:
    """Free what dead workers of this host held (SQLite), then end their leases.

    In this order: whoever finds the lease over can no longer know that its worker is dead, and may have to wait.
    """
    if dead := await lease.find_dead():
        await duties.recover(dead, bury=True)
        await duties.bury()
        await lease.expire(dead)
        wakeups.tell("ready", "sources")


class Worker:
    def __init__(
        self,
        store: Store,
        lease: Lease,
        locks: AliveLocks,
        policies: Mapping[int, JobTypePolicy],
        wakeups: Wakeups,
        *,
        executor: Executor,
        poll: timedelta,
        heartbeat: timedelta,
        max_crashes: int,
        jitter: Callable[[], float] = random.random,
        observer: Observer = NOBODY,
        spans: Spans = NO_SPANS,
    ) -> None:
        self._store = store
        self._lease = lease
        self._locks = locks
        self._wakeups = wakeups
        self._poll = poll.total_seconds()
        self._wait_before_recovery = (heartbeat + poll).total_seconds()
        self._jitter = jitter
        self._pruned_at = monotonic()
        self.executor = executor
        self.dispatcher = Dispatcher(
            store,
            self.executor,
            policies,
            wakeups,
            poll=poll,
            jitter=jitter,
            observer=observer,
            spans=spans,
        )
        self.duties = Duties(store, max_crashes=max_crashes, observer=observer)
        self._tasks: list[asyncio.Task[None]] = []
        lease.on_taken.append(self._taken)
        lease.on_lost.append(self._lost)

    def _taken(self, incarnation: str) -> None:
        self.dispatcher.worker = incarnation
        self._wakeups.ready.set()

    def _lost(self, _incarnation: str) -> None:
        self.dispatcher.worker = None
        self.dispatcher.drop_all()

    def start(self) -> None:
        """Start the loops; the lease is there already. A loop that breaks is logged and runs again."""
        self.dispatcher.worker = self._lease.incarnation
        self.executor.start()
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self._keep("settle", self.dispatcher.settler.run), name="settle"),
            loop.create_task(self._keep("claim", self.dispatcher.claim_until_stopped), name="claim"),
            loop.create_task(self._keep("recover", self._recover_for_ever), name="recover"),
            loop.create_task(self._keep("promote", self._promote_for_ever), name="promote"),
            loop.create_task(self._keep("sweep", self._sweep_for_ever), name="sweep"),
            loop.create_task(self._keep("watch", self._watch_for_ever), name="watch"),
            loop.create_task(self._keep("compare", self._compare_for_ever), name="compare"),
        ]

    async def _keep(self, name: str, loop: Callable[[], Awaitable[None]]) -> None:
        """Run a loop, again after whatever ends it; a broken loop may never stop work in silence."""
        pause = 0.1
        while True:
            try:
                await loop()
            except StoreError as error:
                _log.warning("duty.failed", duty=name, error=str(error))
            except Exception:  # noqa: BLE001 - logged, and the loop runs again
                _log.exception("duty.broke", duty=name)
            else:
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)

    async def _recover_for_ever(self) -> None:
        await recover_dead(self._lease, self.duties, self._wakeups)
        while True:
            await asyncio.sleep(min(self._poll, 5.0) * (0.75 + self._jitter() / 2))
            await recover_dead(self._lease, self.duties, self._wakeups)
            freed = 0
            if monotonic() - self._lease.began > self._wait_before_recovery:
                freed = await self.duties.recover(bury=True)
            await self.duties.bury()  # before anyone here is told that there is work
            if freed:
                self._wakeups.tell("ready")
            if monotonic() - self._pruned_at > PRUNE_SECONDS:
                self._pruned_at = monotonic()
                await self.duties.prune_workers()
                self._locks.forget(row["incarnation"] for row in await self._store.workers.list())

    async def _promote_for_ever(self) -> None:
        """Promote what is due, then wait until the next is: by the database's clock, at most a poll."""
        while True:
            if await self.duties.promote():
                self._wakeups.tell("ready")
            due, now = await self._store.slices.next_due()
            pause = self._poll if due is None else min((due - now).total_seconds(), self._poll)
            await wait_for(self._wakeups.due, max(pause, PROMOTE_SECONDS))

    async def _sweep_for_ever(self) -> None:
        while True:
            await self.duties.sweep()
            await self.dispatcher.heed_changes()
            await wait_for(self._wakeups.stopped, min(self._poll, 5.0))

    async def _watch_for_ever(self) -> None:
        """Learn within a second what operators of other processes have changed: each change is on record."""
        known = await self._store.actions.newest()
        while True:
            newest = await self._store.actions.newest()
            if newest != known:
                known = newest
                self._lease.check()
                self._wakeups.wake("ready", "due", "sources", "stopped")
            await self.dispatcher.heed_changes()
            await wait_for(self._wakeups.changed, WATCH_SECONDS)

    async def _compare_for_ever(self) -> None:
        while True:
            await self._lease.beaten.wait()
            self._lease.beaten.clear()
            await self.dispatcher.heed_changes()
            await self.dispatcher.compare()

    async def stop(self, grace: timedelta) -> None:
        """Stop claiming, finish within the grace, settle, release the rest, end the loops."""
        self._lease.drain()
        try:
            async with asyncio.timeout(grace.total_seconds() + DRAIN_SECONDS):
                await self.dispatcher.drain(grace)
        except (StoreError, TimeoutError) as error:  # what is held lapses with the lease
            _log.error("worker.not_drained", error=str(error) or "the database does not answer")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.executor.close(timedelta(0))
