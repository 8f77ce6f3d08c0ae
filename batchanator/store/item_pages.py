from collections.abc import Sequence

from batchanator.store.driver import Row, Session, fetch_one
from batchanator.store.items import LAST_SEQ
from batchanator.store.records import ItemId
from batchanator.store.statements import load

_PAGE = load("items/page")
_PAGE_SKIP = load("items/page_skip")
_PAGE_BY_STATUS = load("items/page_by_status")
_PAGE_BY_OUTCOME = load("items/page_by_outcome")
_PAGE_BY_ERROR = load("items/page_by_error")
_PAGE_DEAD = load("items/page_dead")
_PAYLOADS_OF = load("items/payloads_of")
_SIZES_OF = load("items/sizes_of")
_KEYS_OF = load("items/keys_of")
_WITH_STATUS = load("batches/with_status")
_FIRST_OPEN = load("slices/first_open")


class ItemPages:
    """Items for lists: rows of the view batch_items without their payloads, which may be a megabyte each."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def page(self, *, job_id: int, after: int, limit: int, last_seq: int = LAST_SEQ) -> Sequence[Row]:
        """Return items in input order with seqs above `after`, up to `last_seq`."""
        return await self._session.fetch(_PAGE, job_id=job_id, after=after, last_seq=last_seq, limit=limit)

    async def page_skip(
        self, *, job_id: int, first_seq: int, last_seq: int, skip: int, limit: int
    ) -> Sequence[Row]:
        return await self._session.fetch(
            _PAGE_SKIP, job_id=job_id, first_seq=first_seq, last_seq=last_seq, skip=skip, limit=limit
        )

    async def page_by_status(
        self, *, job_id: int, status: str, after: int, first_seq: int, last_seq: int, limit: int
    ) -> Sequence[Row]:
        """Return items of a status, or `unprocessed` ones, in a range: it is read whole, so let it be a batch's."""
        return await self._session.fetch(
            _PAGE_BY_STATUS,
            job_id=job_id,
            status=status,
            after=after,
            first_seq=first_seq,
            last_seq=last_seq,
            limit=limit,
        )

    async def page_by_outcome(
        self, *, job_id: int, status: str, after: int, limit: int, last_seq: int = LAST_SEQ
    ) -> Sequence[Row]:
        """Return items whose own row has a status: retrying, dead."""
        return await self._session.fetch(
            _PAGE_BY_OUTCOME, job_id=job_id, status=status, after=after, last_seq=last_seq, limit=limit
        )

    async def page_by_error(
        self, *, job_id: int, error_code: str, after: int, limit: int, last_seq: int = LAST_SEQ
    ) -> Sequence[Row]:
        return await self._session.fetch(
            _PAGE_BY_ERROR, job_id=job_id, error_code=error_code, after=after, last_seq=last_seq, limit=limit
        )

    async def page_dead(self, *, job_id: int, after: int, limit: int) -> Sequence[Row]:
        """Return dead letters that are not purged."""
        return await self._session.fetch(_PAGE_DEAD, job_id=job_id, after=after, limit=limit)

    async def with_status(self, *, job_id: int, status: str, after: int, limit: int) -> Sequence[Row]:
        """Return the batches beyond `after` that may hold items of a status."""
        return await self._session.fetch(_WITH_STATUS, job_id=job_id, status=status, after=after, limit=limit)

    async def first_open(self, *, job_id: int, after: int) -> int | None:
        """Return where the first slice beyond `after` begins: nothing before it and after `after` is unfinished."""
        row = await fetch_one(self._session, _FIRST_OPEN, job_id=job_id, after=after)
        return None if row is None else int(row["first_seq"])

    async def sizes_of(self, *, job_id: int, seqs: Sequence[int]) -> dict[int, int]:
        rows = await self._session.fetch(_SIZES_OF, job_id=job_id, seqs=list(seqs))
        return {row["seq"]: row["bytes"] for row in rows}

    async def payloads_of(self, *, job_id: int, seqs: Sequence[int]) -> dict[int, str]:
        rows = await self._session.fetch(_PAYLOADS_OF, job_id=job_id, seqs=list(seqs))
        return {row["seq"]: row["payload"] for row in rows}

    async def keys_of(self, items: Sequence[ItemId]) -> dict[ItemId, str]:
        """Return the idempotency keys of items; one that was pruned has none."""
        rows = await self._session.fetch(_KEYS_OF, items=list(items))
        return {ItemId(row["job_id"], row["seq"]): row["idempotency_key"] for row in rows}
