"""What became of one line, by its number or by its key: an item with all that is known of it, or why there is none."""

from typing import Any

from aiohttp import web

from batchanator.api import line_shapes, shapes
from batchanator.api.admission import check_job_type
from batchanator.api.answers import answer, answer_list
from batchanator.api.jobs import job_type_id
from batchanator.api.parameters import Query, job_id, seq
from batchanator.api.problems import NOT_FOUND, ProblemError
from batchanator.api.service import Service
from batchanator.domain.errors import NotFoundError
from batchanator.store.driver import Row
from batchanator.store.records import ItemId
from batchanator.store.store import Store

LINE_STATUSES = ("duplicate", "rejected")
"""What a line came to that became no item."""

LINE_BLANK = "line_blank"
LINE_NOT_READ_YET = "line_not_read_yet"
LINE_NOT_READ = "line_not_read"
LINE_CODES = (LINE_BLANK, LINE_NOT_READ_YET, LINE_NOT_READ)


class OneItem:
    def __init__(self, service: Service) -> None:
        self._store = service.reads

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/jobs/{id}/items/{seq}", self.get), web.get("/items", self.by_key)]

    async def get(self, request: web.Request) -> web.Response:
        Query(request)
        return answer(await line_of(self._store, job_id(request), seq(request)))

    async def by_key(self, request: web.Request) -> web.Response:
        """Answer a list of the item that holds the key now: one, or none where nobody does."""
        query = Query(request, "jobType", "idempotencyKey")
        job_type = query.needed("jobType")
        check_job_type(request, job_type)
        holder = await holder_of(self._store, job_type, query.key("idempotencyKey"))
        return answer_list(request, [] if holder is None else [holder], after=None)


async def line_of(store: Store, job: int, number: int) -> dict[str, Any]:
    """Return what became of a line. Raises NotFoundError, or ProblemError where the line is blank or was not read."""
    row = await store.items.get(job_id=job, seq=number)
    return await _line(store, job, number) if row is None else await _item(store, row)


async def holder_of(store: Store, job_type: str, key: str) -> dict[str, Any] | None:
    """Return the item that holds a key now, None where nobody does. Raises UnknownJobTypeError."""
    holder = (await store.keys.holders(await job_type_id(store, job_type), [key])).get(key)
    row = None if holder is None else await store.items.get(job_id=holder[0], seq=holder[1])
    return None if row is None else await _item(store, row)


async def _item(store: Store, row: Row) -> dict[str, Any]:
    job, number = row["job_id"], row["seq"]
    attempts = await store.items.attempts(job_id=job, seq=number)
    batch = await store.batches.get(job_id=job, number=row["batch"])
    first_seq = number if batch is None else batch["first_seq"]
    lapses = await store.items.lapses(job_id=job, seq=number, batch_first_seq=first_seq)
    return shapes.one_item(row, attempts, lapses)


async def _line(store: Store, job: int, number: int) -> dict[str, Any]:
    """Say what became of a line that was no item a moment ago."""
    row = await store.jobs.line(job_id=job, line=number)
    if row is None:
        raise NotFoundError(f"there is no job {job}")
    if row["item_seq"] is not None:
        item = await store.items.get(job_id=job, seq=number)
        if item is not None:
            return await _item(store, item)
    if row["code"] is not None:
        return line_shapes.rejected_line(job, row)
    if row["kind"] is not None:
        holder = ItemId(row["holder_job_id"], row["holder_seq"] + number - row["first_line"])
        item = await store.items.get(job_id=holder.job_id, seq=holder.seq)
        return line_shapes.duplicate_line(job, number, row["kind"], holder, item)
    raise _no_line(job, number, row)


def _no_line(job: int, number: int, row: Row) -> ProblemError:
    read_to = row["read_to"]
    if number <= read_to:
        code, why = LINE_BLANK, "is blank" if number else "is none: the first is 1"
    elif row["sealed_at"] is None:
        code, why = LINE_NOT_READ_YET, f"was not read yet: the source is read to line {read_to}"
    else:
        code, why = LINE_NOT_READ, f"was not read: the source was read to line {read_to}"
    return ProblemError(NOT_FOUND, f"line {number} of job {job} {why}", more={"code": code})
