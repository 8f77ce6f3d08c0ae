from collections.abc import Sequence
from datetime import timedelta

from batchanator.store.driver import Row, Session
from batchanator.store.statements import load

_REGISTER = load("workers/register")
_BEAT = load("workers/beat")
_SEE = load("workers/see")
_GET = load("workers/get")
_LEAVE = load("workers/leave")
_EXPIRE = load("workers/expire")
_LIST = load("workers/list")
_PAGE = load("workers/page")
_HOLDING = load("workers/holding")
_PRUNE = load("workers/prune")


class Workers:
    """Leases: until when a worker is held to be alive, by the database's clock."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def register(self, *, worker: str, lease: timedelta, host: str, pid: int, roles: str) -> None:
        await self._session.fetch(_REGISTER, worker=worker, lease=lease, host=host, pid=pid, roles=roles)

    async def beat(self, *, worker: str, lease: timedelta, draining: bool = False) -> bool:
        """Renew the lease; False: it has run out, and is never extended."""
        return bool(await self._session.fetch(_BEAT, worker=worker, lease=lease, draining=draining))

    async def see(self, *, worker: str) -> None:
        await self._session.fetch(_SEE, worker=worker)

    async def leave(self, *, worker: str) -> None:
        await self._session.fetch(_LEAVE, worker=worker)

    async def expire(self, *, worker: str) -> None:
        """End the lease of a worker whose process is known to be dead, or that an operator gives up."""
        await self._session.fetch(_EXPIRE, worker=worker)

    async def holding(self, *, job_id: int, worker: str) -> list[Row]:
        """Return the living workers but `worker` that hold something of a job, by the end of their lease."""
        return await self._session.fetch(_HOLDING, job_id=job_id, worker=worker)

    async def list(self) -> list[Row]:
        return await self._session.fetch(_LIST)

    async def exists(self, *, worker: str) -> bool:
        return bool(await self._session.fetch(_GET, worker=worker))

    async def page(self, *, after: str, limit: int, state: str) -> Sequence[Row]:
        """Return workers by incarnation; `state`: alive, gone, all."""
        return await self._session.fetch(_PAGE, after=after, limit=limit, state=state)

    async def prune(self, *, age: timedelta) -> None:
        await self._session.fetch(_PRUNE, age=age)
