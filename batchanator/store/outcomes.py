from collections.abc import Sequence
from datetime import timedelta

from batchanator.store.driver import Row, Session
from batchanator.store.records import ItemId
from batchanator.store.statements import load

_DEAD = load("outcomes/dead")
_REDRIVE = load("outcomes/redrive")
_PURGE = load("outcomes/purge")
_ERRORS = load("outcomes/errors")
_RETRYABLE = load("outcomes/retryable")
_DEAD_AMONG = load("outcomes/dead_among")
_PURGED = load("outcomes/purged")


class Outcomes:
    """Rows of items that did not plainly succeed. Settles write them (slices/settle); these read and redrive."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def dead(self, *, job_id: int, after: int, limit: int) -> list[int]:
        rows = await self._session.fetch(_DEAD, job_id=job_id, after=after, limit=limit)
        return [row["seq"] for row in rows]

    async def dead_among(self, *, job_id: int, seqs: Sequence[int]) -> int:
        """Return how many of `seqs` are dead and not purged."""
        return int((await self._session.fetch(_DEAD_AMONG, job_id=job_id, seqs=list(seqs)))[0]["items"])

    async def purged(self, *, job_id: int) -> int:
        """Return how many dead letters of a job are purged."""
        return int((await self._session.fetch(_PURGED, job_id=job_id))[0]["items"])

    async def redrive(self, *, job_id: int, seqs: Sequence[int], granted: int) -> list[int]:
        """Give fresh attempts to dead items that hold their key; returns which."""
        rows = await self._session.fetch(_REDRIVE, job_id=job_id, seqs=list(seqs), granted=granted)
        return sorted(row["seq"] for row in rows)

    async def purge(self, *, job_id: int, seqs: Sequence[int]) -> list[int]:
        return [row["seq"] for row in await self._session.fetch(_PURGE, job_id=job_id, seqs=list(seqs))]

    async def errors(self, *, job_id: int, limit: int) -> list[Row]:
        return await self._session.fetch(_ERRORS, job_id=job_id, limit=limit)

    async def retryable(self, *, age: timedelta, below: int, limit: int) -> list[ItemId]:
        """Return dead letters, out of attempts for so long, that had fewer than `below`."""
        rows = await self._session.fetch(_RETRYABLE, age=age, below=below, limit=limit)
        return [ItemId(row["job_id"], row["seq"]) for row in rows]
