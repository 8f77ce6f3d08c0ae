from collections.abc import Sequence

from batchanator.store.driver import Row, Session, Table
from batchanator.store.records import Holder, ItemId, KeyRow, Take
from batchanator.store.statements import load

_INSERT = load("idempotency_keys/insert")
_HOLDERS = load("idempotency_keys/holders")
_STANDING = load("idempotency_keys/standing")
_TAKE_OVER = load("idempotency_keys/take_over")
_TABLE = Table("idempotency_keys", ("job_id", "seq", "payload_hash", "job_type_id", "key"))


class Keys:
    """Idempotency keys: one item per (job type, key). Sets of keys come sorted by key, or chunks deadlock."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def copy(self, rows: Sequence[tuple[object, ...]]) -> None:
        """Insert (job_id, seq, payload_hash, job_type_id, key) in bulk, sorted by key and hoped to be free.

        UniqueError, and a lost transaction, where one is not.
        """
        await self._session.insert(_TABLE, rows)

    async def insert(self, job_type_id: int, job_id: int, keys: Sequence[KeyRow]) -> set[int]:
        """Take the keys that are free; returns the seqs that took one."""
        rows = await self._session.fetch(_INSERT, job_type_id=job_type_id, job_id=job_id, keys=list(keys))
        return {row["seq"] for row in rows}

    async def holders(self, job_type_id: int, keys: Sequence[str]) -> dict[str, Holder]:
        rows = await self._session.fetch_values(_HOLDERS, job_type_id=job_type_id, keys=list(keys))
        return {key: (job_id, seq, hashed) for key, job_id, seq, hashed in rows}

    async def standing(self, holders: Sequence[ItemId]) -> dict[tuple[int, int], Row]:
        """Return by (job_id, seq) the status (open, succeeded, skipped, dead, cancelled), purged_at and batch."""
        rows = await self._session.fetch(_STANDING, holders=list(holders))
        return {(row["job_id"], row["seq"]): row for row in rows}

    async def take_over(self, job_type_id: int, job_id: int, takes: Sequence[Take]) -> set[int]:
        """Move keys, each guarded by its holder; returns the seqs that took one."""
        rows = await self._session.fetch(
            _TAKE_OVER, job_type_id=job_type_id, job_id=job_id, takes=list(takes)
        )
        return {row["seq"] for row in rows}
