"""Result lines in input order, page by page; what is unfinished is said, never skipped in silence."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple

from batchanator.api import shapes
from batchanator.api.answers import encode, raw_json
from batchanator.api.item_lists import ItemLists
from batchanator.store.driver import Row
from batchanator.store.store import Store

FILTERS = ("succeeded", "skipped", "dead", "cancelled", "unprocessed", "all")
PAGE = 500
MAX_INPUT_BYTES = 4 << 20
"""Bytes of inputs held at a time: a page is written in pieces of this size."""

_OPEN = ("pending", "processing", "retrying")
_WITH_INPUT = {"dead", "cancelled", *_OPEN}


class ResultPage(NamedTuple):
    """`complete`: it passed nothing that is unfinished. `after` is where the next one goes on, None at the end."""

    rows: Sequence[Row]
    after: int | None
    complete: bool


class ResultLines:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._lists = ItemLists(store)

    async def page(self, *, job_id: int, sealed: bool, status: str, after: int, limit: int) -> ResultPage:
        """Return a page of a snapshot of the job as it is now; `sealed` was read before.

        What is unfinished is looked for before the items are read: what finishes in between was unfinished then.
        """
        first_open = await self._store.item_pages.first_open(job_id=job_id, after=after)
        rows, end = await self._lists.page(
            job_id=job_id, after=after, limit=limit, status=None if status == "all" else status
        )
        passed = first_open is not None and (end is None or first_open <= end)
        complete = not passed and (sealed or end is not None)
        return ResultPage(rows, end, complete and not any(row["status"] in _OPEN for row in rows))

    async def lines(self, *, job_id: int, rows: Sequence[Row]) -> AsyncIterator[bytes]:
        """Yield the lines of a page, some at a time: inputs may be a megabyte each."""
        seqs = [row["seq"] for row in rows if row["status"] in _WITH_INPUT]
        sizes = await self._store.item_pages.sizes_of(job_id=job_id, seqs=seqs) if seqs else {}
        for piece in _pieces(rows, sizes):
            wanted = [row["seq"] for row in piece if row["seq"] in sizes]
            inputs = await self._store.item_pages.payloads_of(job_id=job_id, seqs=wanted) if wanted else {}
            yield b"".join([result_line(row, inputs.get(row["seq"])) for row in piece])


def _pieces(rows: Sequence[Row], sizes: dict[int, int]) -> list[list[Row]]:
    pieces: list[list[Row]] = [[]]
    held = 0
    for row in rows:
        size = sizes.get(row["seq"], 0)
        if pieces[-1] and held + size > MAX_INPUT_BYTES:
            pieces.append([])
            held = 0
        pieces[-1].append(row)
        held += size
    return pieces if pieces[0] else []


def result_line(row: Row, received: str | None) -> bytes:
    """Return the line of an item; `received` is its payload, for what did not succeed."""
    unfinished = row["status"] in _OPEN
    failed = row["last_error"] is not None or row["error_code"] is not None
    line: dict[str, Any] = {
        "seq": row["seq"],
        "idempotencyKey": row["idempotency_key"],
        "status": "unprocessed" if unfinished else row["status"],
        "attempts": row["attempts"],
        "result": raw_json(row["result"]),
        "error": {"code": row["error_code"], "message": row["last_error"]} if failed else None,
        "startedAt": None if unfinished else row["started_at"],
        "finishedAt": None if unfinished else row["finished_at"],
    }
    if row["skip_reason"] is not None:
        line["skipReason"] = row["skip_reason"]
    if row["replaced_by_job_id"] is not None:
        line["replacedBy"] = shapes.replaced_by(row)
    if row["status"] in _WITH_INPUT:
        line["input"] = raw_json(_one_line(received))
    return encode(line) + b"\n"


def _one_line(text: str | None) -> str | None:
    """Return JSON without line ends: in valid JSON they stand between values only, where a blank does as well."""
    if text is None or ("\n" not in text and "\r" not in text):
        return text
    return text.replace("\r", " ").replace("\n", " ")
