from collections.abc import Sequence

from batchanator.store.driver import Row, Session, Table, fetch_one
from batchanator.store.records import BatchId
from batchanator.store.statements import load

_LOCK = load("batches/lock")
_OF_SEQS = load("batches/of_seqs")
_REOPEN = load("batches/reopen")
_LIST = load("batches/list")
_GET = load("batches/get")
_TABLE = Table("batches", ("job_id", "number", "first_seq", "last_seq", "total"))


class Batches:
    def __init__(self, session: Session) -> None:
        self._session = session

    async def insert(self, rows: Sequence[tuple[object, ...]]) -> None:
        """Insert (job_id, number, first_seq, last_seq, total)."""
        await self._session.insert(_TABLE, rows)

    async def lock(self, batches: Sequence[BatchId]) -> list[Row]:
        """Lock batches in key order and return them as they are now."""
        return await self._session.fetch(_LOCK, batches=list(batches))

    async def of_seqs(self, *, job_id: int, seqs: Sequence[int]) -> dict[int, int]:
        """Return the number of the batch that each seq lies in."""
        rows = await self._session.fetch(_OF_SEQS, job_id=job_id, seqs=list(seqs))
        return {row["seq"]: row["number"] for row in rows}

    async def reopen(self, *, job_id: int, number: int, dead: int, cancelled: int = 0) -> None:
        await self._session.fetch(_REOPEN, job_id=job_id, number=number, dead=dead, cancelled=cancelled)

    async def list(self, *, job_id: int, after: int, limit: int) -> Sequence[Row]:
        return await self._session.fetch(_LIST, job_id=job_id, after=after, limit=limit)

    async def get(self, *, job_id: int, number: int) -> Row | None:
        return await fetch_one(self._session, _GET, job_id=job_id, number=number)
