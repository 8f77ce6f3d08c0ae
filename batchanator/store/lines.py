from collections.abc import Sequence

from batchanator.store.driver import Row, Session, Table
from batchanator.store.statements import load

_REJECTS = load("rejects/list")
_DUPLICATES = load("duplicates/list")
_LAPSES = load("lapses/list")
_HIGHEST = load("pending_work/highest")
_TAKE = load("pending_work/take")
_REJECT_TABLE = Table(
    "rejects", ("job_id", "line", "byte_offset", "code", "pointer", "message", "raw", "raw_cut")
)
_DUPLICATE_TABLE = Table(
    "duplicates", ("job_id", "first_line", "last_line", "holder_job_id", "holder_seq", "kind")
)


class Lines:
    """Lines that did not become items (rejects, duplicates), and rows that are still to come (pending_work)."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def insert_rejects(self, rows: Sequence[tuple[object, ...]]) -> None:
        """Insert (job_id, line, byte_offset, code, pointer, message, raw, raw_cut)."""
        await self._session.insert(_REJECT_TABLE, rows)

    async def insert_duplicates(self, rows: Sequence[tuple[object, ...]]) -> None:
        """Insert runs: (job_id, first_line, last_line, holder_job_id, holder_seq, kind)."""
        await self._session.insert(_DUPLICATE_TABLE, rows)

    async def rejects(self, *, job_id: int, after: int, limit: int) -> list[Row]:
        return await self._session.fetch(_REJECTS, job_id=job_id, after=after, limit=limit)

    async def duplicates(self, *, job_id: int, after: int, limit: int) -> list[Row]:
        return await self._session.fetch(_DUPLICATES, job_id=job_id, after=after, limit=limit)

    async def lapses(self, *, job_id: int, after_seq: int, after_fence: int, limit: int) -> list[Row]:
        return await self._session.fetch(
            _LAPSES, job_id=job_id, after_seq=after_seq, after_fence=after_fence, limit=limit
        )

    async def highest_pending(self, job_type: str) -> int | None:
        """Return the highest id of the type's staging rows that is visible now, None where there is none."""
        highest: int | None = (await self._session.fetch(_HIGHEST, job_type=job_type))[0]["id"]
        return highest

    async def take_pending(self, *, job_type: str, highest: int, limit: int) -> list[Row]:
        """Delete and return staging rows up to `highest`, in order of id; rows that are locked stay."""
        rows = await self._session.fetch(_TAKE, job_type=job_type, highest=highest, limit=limit)
        return sorted(rows, key=lambda row: row["id"])
