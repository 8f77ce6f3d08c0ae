"""Pages of items by what they are asked for. Whatever the filter, a page is found by an index, never by a scan."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from batchanator.store.driver import Row
from batchanator.store.items import LAST_SEQ
from batchanator.store.store import Store

STEP = 250
"""Rows of one statement: what is held in memory at a time may be 64 KiB of result for each."""

BATCHES = 50
LOOKED_INTO = 100
"""Batches that one page looks into before it is answered as it is, with the place to go on from."""


class Page(NamedTuple):
    """`after` is where the next page goes on, None at the end."""

    rows: Sequence[Row]
    after: int | None


class ItemLists:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._pages = store.item_pages

    async def page(
        self,
        *,
        job_id: int,
        after: int,
        limit: int,
        status: str | None = None,
        error_code: str | None = None,
        last_seq: int = LAST_SEQ,
    ) -> Page:
        """Return at most `limit` items in input order; fewer do not mean the end, `after` None does."""
        if error_code is not None:
            return await self._by_error(job_id, error_code, status, after, limit, last_seq)
        if status is None:
            return await _stepwise(
                lambda start, count: self._pages.page(
                    job_id=job_id, after=start, limit=count, last_seq=last_seq
                ),
                after,
                limit,
            )
        if status in {"retrying", "dead"}:
            return await _stepwise(
                lambda start, count: self._pages.page_by_outcome(
                    job_id=job_id, status=status, after=start, limit=count, last_seq=last_seq
                ),
                after,
                limit,
            )
        return await self._by_status(job_id, status, after, limit, last_seq)

    async def dead_letters(self, *, job_id: int, after: int, limit: int) -> Page:
        return await _stepwise(
            lambda start, count: self._pages.page_dead(job_id=job_id, after=start, limit=count), after, limit
        )

    async def _by_error(
        self, job_id: int, code: str, status: str | None, after: int, limit: int, last_seq: int
    ) -> Page:
        page = await _stepwise(
            lambda start, count: self._pages.page_by_error(
                job_id=job_id, error_code=code, after=start, limit=count, last_seq=last_seq
            ),
            after,
            limit,
        )
        if status is None:
            return page
        return Page([row for row in page.rows if row["status"] == status], page.after)

    async def _by_status(self, job_id: int, status: str, after: int, limit: int, last_seq: int) -> Page:
        """Look only into batches whose counters tell that they hold some."""
        rows: list[Row] = []
        looked_into = 0
        while True:
            batches = await self._pages.with_status(job_id=job_id, status=status, after=after, limit=BATCHES)
            for batch in batches:
                if batch["first_seq"] > last_seq:
                    return Page(rows, None)
                end = min(batch["last_seq"], last_seq)
                while after < end:
                    if looked_into == LOOKED_INTO:
                        return Page(rows, after)
                    looked_into += 1
                    wanted = min(STEP, limit + 1 - len(rows))
                    found = await self._pages.page_by_status(
                        job_id=job_id,
                        status=status,
                        after=after,
                        first_seq=batch["first_seq"],
                        last_seq=end,
                        limit=wanted,
                    )
                    rows += found
                    after = found[-1]["seq"] if len(found) == wanted else end
                    if len(rows) > limit:
                        return Page(rows[:limit], rows[limit - 1]["seq"])
            if len(batches) < BATCHES:
                return Page(rows, None)


async def _stepwise(read: Callable[[int, int], Awaitable[Sequence[Row]]], after: int, limit: int) -> Page:
    """Read `limit` rows in steps, and one more to know whether there are more."""
    rows: list[Row] = []
    while True:
        wanted = min(STEP, limit + 1 - len(rows))
        found = await read(after, wanted)
        rows += found
        if len(rows) > limit:
            return Page(rows[:limit], rows[limit - 1]["seq"])
        if len(found) < wanted:
            return Page(rows, None)
        after = found[-1]["seq"]
