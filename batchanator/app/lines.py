"""Lines that became no items, in the API's own shapes, a page at a time however many there are."""

from collections.abc import AsyncIterator
from typing import Any

from batchanator.api import line_shapes
from batchanator.api.lines import STEP, expanded
from batchanator.store.store import Store

PAGE = 1000


async def rejects(store: Store, job_id: int, *, after: int) -> AsyncIterator[dict[str, Any]]:
    """Yield the rejected lines above line `after`."""
    while rows := await store.lines.rejects(job_id=job_id, after=after, limit=STEP):
        for row in rows:
            yield line_shapes.reject(row)
        after = rows[-1]["line"]


async def duplicates(store: Store, job_id: int, *, after: int) -> AsyncIterator[dict[str, Any]]:
    """Yield the duplicate lines above line `after`, each with the item that held its key."""
    while runs := await store.lines.duplicates(job_id=job_id, after=after, limit=PAGE):
        lines = expanded(runs, after, PAGE)
        keys = await store.item_pages.keys_of([holder for _, holder, _ in lines])
        for line, holder, kind in lines:
            yield line_shapes.duplicate(line, kind, holder, keys.get(holder))
        after = lines[-1][0]
