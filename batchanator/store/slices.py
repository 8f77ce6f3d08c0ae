from collections.abc import Sequence
from datetime import datetime

from batchanator.store.driver import Row, Session, Table, fetch_one
from batchanator.store.parameters import as_list
from batchanator.store.records import (
    Claimed,
    Crashed,
    Floor,
    ItemOutcome,
    Listed,
    Release,
    Settled,
    SliceKey,
    SliceOutcome,
    claimed_from,
)
from batchanator.store.statements import load

_CLAIM = load("slices/claim")
_CLAIM_LISTED = load("slices/claim_listed")
_SETTLE = load("slices/settle")
_RECOVER = load("slices/recover")
_RELEASE = load("slices/release")
_PROMOTE = load("slices/promote")
_UNHOLD = load("slices/unhold")
_NEXT_DUE = load("slices/next_due")
_BACKLOG = load("slices/backlog")
_MARK_RUNNING = load("slices/mark_running")
_HOLDINGS = load("slices/holdings")
_LEASED_BY = load("slices/leased_by")
_CANCELLABLE = load("slices/cancellable")
_CRASHED = load("slices/crashed")
_COVERING = load("slices/covering")
_FENCE_OFF = load("slices/fence_off")
_CARRY = load("slices/carry")
_IN_BATCHES = load("slices/in_batches")
_HIGHEST_FENCE = load("slices/highest_fence")
_TABLE = Table(
    "slices",
    ("job_id", "first_seq", "last_seq", "batch", "ordinal", "open", "state", "fence", "settles"),
)
READY, LEASED, WAITING, HELD = range(4)


class Slices:
    """The only hot rows: claimed, leased, settled, recovered. Every write is guarded by its fence."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def insert(self, rows: Sequence[tuple[object, ...]]) -> None:
        """Insert (job_id, first_seq, last_seq, batch, ordinal, open, state, fence, settles)."""
        await self._session.insert(_TABLE, rows)

    async def claim(
        self, *, worker: str, types: Sequence[int], limit: int, floors: Sequence[Floor] = ()
    ) -> list[Claimed]:
        """Take ready slices of runnable jobs under no limit, in fair order."""
        rows = await self._session.fetch(
            _CLAIM, worker=worker, types=list(types), limit=limit, floors=list(floors)
        )
        return [claimed_from(row, as_list) for row in rows]

    async def claim_listed(
        self, *, worker: str, types: Sequence[int], limit: int, jobs: Sequence[Listed]
    ) -> list[Claimed]:
        """Take ready slices of given jobs, no more than each has room for."""
        rows = await self._session.fetch(
            _CLAIM_LISTED, worker=worker, types=list(types), limit=limit, jobs=list(jobs)
        )
        return [claimed_from(row, as_list) for row in rows]

    async def settle(
        self, *, worker: str | None, slices: Sequence[SliceOutcome], items: Sequence[ItemOutcome]
    ) -> list[Settled]:
        """Write outcomes; returns the slices whose guard held. Those missing are stale: only theirs were dropped."""
        rows = await self._session.fetch(_SETTLE, worker=worker, slices=list(slices), items=list(items))
        return [
            Settled(row["job_id"], row["first_seq"], bool(row["job_ended"]), row["due_at"]) for row in rows
        ]

    async def recover(self, *, dead: Sequence[str], limit: int = 500) -> list[Row]:
        return await self._session.fetch(_RECOVER, dead=list(dead), limit=limit)

    async def release(self, *, worker: str, slices: Sequence[Release]) -> list[SliceKey]:
        rows = await self._session.fetch(_RELEASE, worker=worker, slices=list(slices))
        return [SliceKey(row["job_id"], row["first_seq"], 0) for row in rows]

    async def promote(self, *, limit: int = 500) -> int:
        return len(await self._session.fetch(_PROMOTE, limit=limit))

    async def unhold(self, *, limit: int = 500) -> int:
        return len(await self._session.fetch(_UNHOLD, limit=limit))

    async def next_due(self) -> tuple[datetime | None, datetime]:
        """Return when the earliest waiting slice comes due, and the database's clock."""
        row = (await self._session.fetch(_NEXT_DUE))[0]
        return row["due_at"], row["now_at"]

    async def backlog(self, *, most: int) -> Row:
        """Return ready, leased, waiting, held (each counted to `most`), due_at, oldest_at (or None) and now_at."""
        return (await self._session.fetch(_BACKLOG, most=most))[0]

    async def mark_running(self, *, worker: str, key: SliceKey, seq: int) -> bool:
        rows = await self._session.fetch(
            _MARK_RUNNING,
            worker=worker,
            seq=seq,
            job_id=key.job_id,
            first_seq=key.first_seq,
            fence=key.fence,
        )
        return bool(rows)

    async def leased_by(self, *, worker: str) -> set[SliceKey]:
        rows = await self._session.fetch(_LEASED_BY, worker=worker)
        return {SliceKey(row["job_id"], row["first_seq"], row["fence"]) for row in rows}

    async def holdings(self) -> list[Row]:
        """Return worker, job_id, slices, items, claimed_at: what each worker holds of each job."""
        return await self._session.fetch(_HOLDINGS)

    async def cancellable(self, *, limit: int = 200, rows: int = 10_000) -> list[Row]:
        """Return free slices of stopping jobs, a row for each retrying item in them (or one with seq NULL).

        At most `limit` slices, with `rows` open items before the last of them.
        """
        return await self._session.fetch(_CANCELLABLE, limit=limit, rows=rows)

    async def crashed(self, *, max_crashes: int, limit: int = 100) -> list[Crashed]:
        rows = await self._session.fetch(_CRASHED, max_crashes=max_crashes, limit=limit)
        return [Crashed(*(row[name] for name in Crashed._fields)) for row in rows]

    async def covering(self, *, job_id: int, seqs: Sequence[int]) -> list[Row]:
        """Lock, in key order, the slices that cover one of `seqs`."""
        return await self._session.fetch(_COVERING, job_id=job_id, seqs=list(seqs))

    async def fence_off(self, *, job_id: int, seqs: Sequence[int]) -> None:
        """Shut claims that began before a stop out of the free slices that cover `seqs`."""
        await self._session.fetch(_FENCE_OFF, job_id=job_id, seqs=list(seqs))

    async def carry(self, *, job_id: int, first_seq: int, count: int) -> None:
        await self._session.fetch(_CARRY, job_id=job_id, first_seq=first_seq, count=count)

    async def in_batches(self, *, job_id: int, first_seq: int, last_seq: int) -> list[Row]:
        return await self._session.fetch(_IN_BATCHES, job_id=job_id, first_seq=first_seq, last_seq=last_seq)

    async def highest_fence(self, *, job_id: int, first_seq: int, last_seq: int) -> int:
        row = await fetch_one(
            self._session, _HIGHEST_FENCE, job_id=job_id, first_seq=first_seq, last_seq=last_seq
        )
        return (row and row["fence"]) or 0
