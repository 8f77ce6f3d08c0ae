"""What a job's lines came to beside items: rejects, duplicates; and what its items met: errors, lapses."""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from batchanator.api import line_shapes, shapes
from batchanator.api.answers import answer_list
from batchanator.api.jobs import check_job
from batchanator.api.parameters import Query, job_id
from batchanator.api.service import Service
from batchanator.store.driver import Row
from batchanator.store.records import ItemId

STEP = 50
"""Rejects of one statement: up to 64 KiB of each line is kept."""

MAX_REJECT_BYTES = 4 << 20
"""Bytes of rejected lines in one answer; a page ends early there."""


class Lines:
    def __init__(self, service: Service) -> None:
        self._store = service.reads

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/jobs/{id}/rejects", self.rejects),
            web.get("/jobs/{id}/duplicates", self.duplicates),
            web.get("/jobs/{id}/lapses", self.lapses),
            web.get("/jobs/{id}/errors", self.errors),
        ]

    async def rejects(self, request: web.Request) -> web.Response:
        query, job = Query(request, "after", "limit"), job_id(request)
        after, limit = query.whole("after", 0), query.limit()
        data: list[dict[str, Any]] = []
        size, more = 0, True
        while more and len(data) < limit and size < MAX_REJECT_BYTES:
            wanted = min(STEP, limit - len(data))
            rows = await self._store.lines.rejects(job_id=job, after=after, limit=wanted + 1)
            more = len(rows) > wanted
            for row in rows[:wanted]:
                data.append(line_shapes.reject(row))
                size += len(row["raw"])
                after = row["line"]
        await self._checked(job, data)
        return answer_list(request, data, after=after if more else None)

    async def duplicates(self, request: web.Request) -> web.Response:
        """Answer a line each; the database keeps runs of lines whose holders are as consecutive."""
        query, job = Query(request, "after", "limit"), job_id(request)
        after, limit = query.whole("after", 0), query.limit()
        runs = await self._store.lines.duplicates(job_id=job, after=after, limit=limit + 1)
        lines = expanded(runs, after, limit + 1)
        page = lines[:limit]
        keys = await self._store.item_pages.keys_of([holder for _, holder, _ in page])
        data = [line_shapes.duplicate(line, kind, holder, keys.get(holder)) for line, holder, kind in page]
        await self._checked(job, data)
        return answer_list(request, data, after=page[-1][0] if len(lines) > limit else None)

    async def lapses(self, request: web.Request) -> web.Response:
        query, job = Query(request, "after", "limit"), job_id(request)
        (seq, fence), limit = query.cursor("after", 2), query.limit()
        rows = await self._store.lines.lapses(
            job_id=job, after_seq=seq, after_fence=min(fence, 2**31 - 1), limit=limit + 1
        )
        page = rows[:limit]
        data = [shapes.lapse(row) for row in page]
        await self._checked(job, data)
        after = f"{page[-1]['first_seq']}.{page[-1]['fence']}" if len(rows) > limit else None
        return answer_list(request, data, after=after)

    async def errors(self, request: web.Request) -> web.Response:
        query, job = Query(request, "limit"), job_id(request)
        rows = await self._store.outcomes.errors(job_id=job, limit=query.limit(default=20))
        data = [
            {
                "code": row["error_code"],
                "count": row["items"],
                "sample": row["sample"],
                "firstSeq": row["first_seq"],
            }
            for row in rows
        ]
        await self._checked(job, data)
        return answer_list(request, data, after=None)

    async def _checked(self, job: int, data: Sequence[Any]) -> None:
        if not data:
            await check_job(self._store, job)


def expanded(runs: Sequence[Row], after: int, most: int) -> list[tuple[int, ItemId, str]]:
    """Return the lines above `after` that runs stand for, each with the holder of its key."""
    lines: list[tuple[int, ItemId, str]] = []
    for run in runs:
        first, holder = run["first_line"], run["holder_seq"]
        for line in range(max(first, after + 1), run["last_line"] + 1):
            lines.append((line, ItemId(run["holder_job_id"], holder + line - first), run["kind"]))
            if len(lines) == most:
                return lines
    return lines
