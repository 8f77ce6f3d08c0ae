"""This process as a worker: one fresh incarnation a start, one more whenever its lease was lost."""

import asyncio
import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta
from time import monotonic

import structlog

from batchanator.dispatch.alive import AliveLocks
from batchanator.dispatch.heartbeat import Heartbeat
from batchanator.domain.errors import StoreError
from batchanator.store.store import Store

_log = structlog.get_logger("batchanator.dispatch")


class Lease:
    def __init__(
        self,
        store: Store,
        open_heartbeat_store: Callable[[], Store],
        locks: AliveLocks,
        *,
        lease: timedelta,
        interval: timedelta,
        host: str,
        pid: int,
        roles: str,
    ) -> None:
        self._store = store
        self._locks = locks
        self._lease = lease
        self._host, self._pid, self._roles = host, pid, roles
        self._heartbeat = Heartbeat(
            open_heartbeat_store, lease=lease, interval=interval, lost=self._lose, beaten=self._beat
        )
        self._taking: asyncio.Task[None] | None = None
        self._stopping = False
        self.incarnation: str | None = None
        self.began = monotonic()
        self.beaten = asyncio.Event()
        self.on_taken: list[Callable[[str], None]] = []
        self.on_lost: list[Callable[[str], None]] = []

    async def start(self) -> None:
        """Register and begin to beat; StoreError where the database refuses."""
        await self._take()
        self._heartbeat.start()

    async def _take(self) -> None:
        incarnation = str(uuid.uuid4())
        self._locks.hold(incarnation)
        began = self.began = monotonic()
        try:
            await self._store.workers.register(
                worker=incarnation,
                lease=self._lease,
                host=self._host,
                pid=self._pid,
                roles=self._roles,
            )
        except BaseException:
            self._locks.drop(incarnation)
            raise
        self.incarnation = incarnation
        self._heartbeat.watch(incarnation, began)
        _log.info("worker.registered", worker=incarnation)
        for tell in self.on_taken:
            tell(incarnation)

    def _beat(self, incarnation: str) -> None:
        if incarnation == self.incarnation:
            self.beaten.set()

    def _lose(self, incarnation: str) -> None:
        if incarnation != self.incarnation:
            return
        _log.error("lease.lost", worker=incarnation)
        self.incarnation = None
        for tell in self.on_lost:
            tell(incarnation)
        if not self._stopping:
            self._taking = asyncio.get_running_loop().create_task(self._come_back(incarnation), name="lease")

    async def _come_back(self, old: str) -> None:
        """Say that the old incarnation's process lives (its lapses are no crashes), then take a new one."""
        pause = 0.2
        while not self._stopping:
            try:
                await self._store.workers.see(worker=old)
                await self._take()
            except Exception as error:  # noqa: BLE001 - without a lease nothing is claimed: try again
                _log.warning("lease.not_taken", error=str(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)
            else:
                self._locks.drop(old)
                return

    async def find_dead(self) -> list[str]:
        """Return workers of this host whose lease goes on and whose file lock is free (SQLite)."""
        workers = await self._store.workers.list()
        return self._locks.dead(row["incarnation"] for row in workers if row["lease_until"] > row["now_at"])

    async def expire(self, dead: Sequence[str]) -> None:
        for incarnation in dead:
            await self._store.workers.expire(worker=incarnation)

    def check(self) -> None:
        """Ask the database now whether this worker still holds its lease: an operator may have given it up."""
        self._heartbeat.beat_now()

    def drain(self) -> None:
        self._heartbeat.drain()

    async def stop(self) -> None:
        """End the lease at once: what is still held may be recovered by anyone."""
        self._stopping = True
        if self._taking is not None:
            self._taking.cancel()
            await asyncio.gather(self._taking, return_exceptions=True)
        await self._heartbeat.stop()
        incarnation, self.incarnation = self.incarnation, None
        if incarnation is not None:
            try:
                await self._store.workers.leave(worker=incarnation)
            except StoreError as error:
                _log.warning("worker.not_left", error=str(error))
            self._locks.drop(incarnation)
