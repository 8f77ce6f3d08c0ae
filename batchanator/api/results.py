"""GET /jobs/{id}/results: NDJSON in input order, in every state of the job.

With `limit` it is one page, with the next one's address in Link. Without, it is the whole job, read page by page. A
page says in a header whether it passed nothing unfinished; a stream, whose headers went first, in a last line.
"""

import asyncio

from aiohttp import web

from batchanator.api.answers import SEND_SECONDS, abort, encode, next_link
from batchanator.api.jobs import get_job
from batchanator.api.parameters import Query, job_id
from batchanator.api.problems import invalid
from batchanator.api.result_lines import FILTERS, PAGE, ResultLines
from batchanator.api.service import Service

COMPLETE = "Batchanator-Complete"


class Results:
    def __init__(self, service: Service) -> None:
        self._store = service.reads
        self._results = ResultLines(service.reads)

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/jobs/{id}/results", self.get, allow_head=False)]

    async def get(self, request: web.Request) -> web.StreamResponse:
        query, job = Query(request, "status", "after", "limit", "order"), job_id(request)
        if query.one_of("order", ("input", "settled")) == "settled":
            raise invalid("order", "order=settled comes with a later version; order=input is what there is")
        status, after = query.one_of("status", FILTERS) or "all", query.whole("after", 0)
        limit = query.limit() if "limit" in request.query else None
        sealed = (await get_job(self._store, job))["sealed_at"] is not None
        if limit is None:
            return await self._stream(request, job, status, after, sealed=sealed)
        return await self._page(request, job, status, after, limit, sealed=sealed)

    async def _page(
        self, request: web.Request, job: int, status: str, after: int, limit: int, *, sealed: bool
    ) -> web.StreamResponse:
        page = await self._results.page(job_id=job, sealed=sealed, status=status, after=after, limit=limit)
        response = web.StreamResponse(headers={COMPLETE: str(page.complete).lower()})
        response.content_type = "application/x-ndjson"
        if page.after is not None:
            response.headers["Link"] = next_link(request, "after", page.after)
        await response.prepare(request)
        async for piece in self._results.lines(job_id=job, rows=page.rows):
            await _write(request, response, piece)
        return response

    async def _stream(
        self, request: web.Request, job: int, status: str, after: int, *, sealed: bool
    ) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_type = "application/x-ndjson"
        complete, place = True, after
        while True:
            page = await self._results.page(job_id=job, sealed=sealed, status=status, after=place, limit=PAGE)
            if not response.prepared:  # now, so that a database that is gone is still a 503
                await response.prepare(request)
            async for piece in self._results.lines(job_id=job, rows=page.rows):
                await _write(request, response, piece)
            complete &= page.complete
            if page.after is None:
                break
            place = page.after
        if not complete:
            await _write(request, response, encode({"complete": False}) + b"\n")
        return response


async def _write(request: web.Request, response: web.StreamResponse, piece: bytes) -> None:
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await response.write(piece)
    except TimeoutError:
        abort(request)
        raise ConnectionResetError("the reader is too slow") from None
