from collections.abc import Sequence

from batchanator.store.driver import Row, Session, Table, fetch_one
from batchanator.store.statements import load

_GET = load("items/get")
_PAYLOADS = load("items/payloads")
_EMPTY = load("items/empty")
_ATTEMPTS = load("attempts/list")
_LAPSES = load("lapses/of_item")
_TABLE = Table("items", ("job_id", "seq", "idempotency_key", "payload"))
_STAGED = Table("items", (*_TABLE.columns, "source_row_id"))
LAST_SEQ = 2**62


class Items:
    """Insert-only rows, and the view batch_items that says what became of each."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def insert(self, rows: Sequence[tuple[object, ...]]) -> None:
        """Insert (job_id, seq, idempotency_key, payload text)."""
        await self._session.insert(_TABLE, rows)

    async def insert_staged(self, rows: Sequence[tuple[object, ...]]) -> None:
        """Insert items of the staging table: the id of the row comes last."""
        await self._session.insert(_STAGED, rows)

    async def get(self, *, job_id: int, seq: int) -> Row | None:
        return await fetch_one(self._session, _GET, job_id=job_id, seq=seq)

    async def payloads(self, *, job_id: int, first_seq: int, last_seq: int) -> dict[int, str]:
        rows = await self._session.fetch(_PAYLOADS, job_id=job_id, first_seq=first_seq, last_seq=last_seq)
        return {row["seq"]: row["payload"] for row in rows}

    async def empty(self, *, job_id: int, seqs: Sequence[int]) -> None:
        await self._session.fetch(_EMPTY, job_id=job_id, seqs=list(seqs))

    async def attempts(self, *, job_id: int, seq: int) -> Sequence[Row]:
        return await self._session.fetch(_ATTEMPTS, job_id=job_id, seq=seq)

    async def lapses(self, *, job_id: int, seq: int, batch_first_seq: int) -> Sequence[Row]:
        """Return every lapse under which the item may have run."""
        return await self._session.fetch(_LAPSES, job_id=job_id, seq=seq, batch_first_seq=batch_first_seq)
