"""What became of each item, a line of JSON each, in input order: the API's own lines, a part of a page at a time."""

from collections.abc import AsyncIterator
from typing import Final, NamedTuple

from batchanator.api.result_lines import FILTERS, PAGE, ResultLines
from batchanator.store.driver import Row
from batchanator.store.store import Store

STATUSES: Final = ("all", *(name for name in FILTERS if name != "all"))


class Piece(NamedTuple):
    """Some whole lines. `complete`: up to here nothing was passed that is unfinished."""

    text: bytes
    lines: int
    complete: bool


async def result_pieces(store: Store, job: Row, *, status: str) -> AsyncIterator[Piece]:
    """Yield the lines of a job's items; open ones stand among them as `unprocessed` where `status` admits them."""
    source, after, job_id, sealed = ResultLines(store), 0, job["id"], job["sealed_at"] is not None
    while True:
        page = await source.page(job_id=job_id, sealed=sealed, status=status, after=after, limit=PAGE)
        yield Piece(b"", 0, page.complete)
        async for text in source.lines(job_id=job_id, rows=page.rows):
            yield Piece(text, text.count(b"\n"), page.complete)
        if page.after is None:
            return
        after = page.after
