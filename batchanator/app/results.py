"""What became of each item, a line of JSON each, in input order; a page of items is held at a time."""

from collections.abc import AsyncIterator
from typing import Any, Final

import orjson

from batchanator.app.job_json import instant
from batchanator.store.driver import Row
from batchanator.store.store import Store

PAGE: Final = 1000
INPUTS: Final = 50
"""Payloads that are held at a time: each may be a megabyte."""
UNPROCESSED: Final = "unprocessed"
STATUSES: Final = ("all", "succeeded", "skipped", "dead", "cancelled", UNPROCESSED)
_OPEN = {"pending", "processing", "retrying"}
_WITH_INPUT = {"dead", "cancelled", UNPROCESSED}


async def result_pages(store: Store, job_id: int, *, status: str) -> AsyncIterator[list[tuple[str, bytes]]]:
    """Yield pages of (status, line); open items stand among them as `unprocessed` where `status` admits them."""
    after, pages = 0, store.item_pages
    while True:
        if status == "dead":
            rows = await pages.page_by_outcome(job_id=job_id, status=status, after=after, limit=PAGE)
        else:
            rows = await pages.page(job_id=job_id, after=after, limit=PAGE)
        wanted = [(state, row) for row in rows if status in {"all", state := _status(row)}]
        for start in range(0, len(wanted), INPUTS):
            piece = wanted[start : start + INPUTS]
            seqs = [row["seq"] for state, row in piece if state in _WITH_INPUT]
            inputs = await pages.payloads_of(job_id=job_id, seqs=seqs) if seqs else {}
            yield [(state, result_line(row, state, inputs.get(row["seq"]))) for state, row in piece]
        if len(rows) < PAGE:
            return
        after = rows[-1]["seq"]


def result_line(row: Row, status: str, received: str | None) -> bytes:
    """Return one line, with its end. Dead, cancelled and unprocessed items carry their input as received."""
    line: dict[str, Any] = {
        "seq": row["seq"],
        "idempotencyKey": row["idempotency_key"],
        "status": status,
        "attempts": row["attempts"],
        "result": _json(row["result"]),
        "error": _error(row),
        "startedAt": instant(row["started_at"]),
        "finishedAt": instant(row["finished_at"]),
    }
    if row["skip_reason"] is not None:
        line["skipReason"] = row["skip_reason"]
    if status in _WITH_INPUT:
        line["input"] = _json(received)
    return orjson.dumps(line) + b"\n"


def _status(row: Row) -> str:
    status: str = row["status"]
    return UNPROCESSED if status in _OPEN else status


def _error(row: Row) -> dict[str, str | None] | None:
    if row["last_error"] is None and row["error_code"] is None:
        return None
    return {"code": row["error_code"], "message": row["last_error"]}


def _json(text: str | None) -> orjson.Fragment | None:
    """Return JSON text as it is, on one line: line breaks in it can only stand between its parts."""
    if not text:
        return None
    return orjson.Fragment(text.replace("\r", " ").replace("\n", " "))
