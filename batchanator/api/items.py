"""Batches, and lists of items: of a job, of a batch, of dead letters."""

from aiohttp import web

from batchanator.api import shapes
from batchanator.api.answers import answer_list
from batchanator.api.item_lists import ItemLists, Page
from batchanator.api.jobs import check_job
from batchanator.api.parameters import ITEM_STATUSES, Query, batch_id, job_id
from batchanator.api.service import Service
from batchanator.domain.errors import NotFoundError
from batchanator.store.driver import Row

_FIELDS = ("status", "after", "limit")


class Items:
    def __init__(self, service: Service) -> None:
        self._store = service.reads
        self._lists = ItemLists(service.reads)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/jobs/{id}/batches", self.batches),
            web.get("/batches/{id}/items", self.of_batch),
            web.get("/jobs/{id}/items", self.of_job),
            web.get("/jobs/{id}/dead-letter", self.dead_letter),
        ]

    async def batches(self, request: web.Request) -> web.Response:
        query, job = Query(request, "after", "limit"), job_id(request)
        limit = query.limit()
        rows = await self._store.batches.list(
            job_id=job, after=query.whole("after", 0, most=2**31 - 1), limit=limit + 1
        )
        if not rows:
            await check_job(self._store, job)
        page = rows[:limit]
        after = page[-1]["number"] if len(rows) > limit else None
        return answer_list(request, [shapes.batch(job, row) for row in page], after=after)

    async def of_batch(self, request: web.Request) -> web.Response:
        skips = "skip" in request.query or "take" in request.query
        query = Query(request, "skip", "take") if skips else Query(request, *_FIELDS)
        job, number = batch_id(request)
        batch = await self._store.batches.get(job_id=job, number=number)
        if batch is None:
            raise NotFoundError(f"there is no batch {job}-{number}")
        if skips:
            return await self._skipped(request, query, job, batch)
        page = await self._lists.page(
            job_id=job,
            after=max(query.whole("after", 0), batch["first_seq"] - 1),
            limit=query.limit(),
            status=query.one_of("status", ITEM_STATUSES),
            last_seq=batch["last_seq"],
        )
        return _answer(request, page)

    async def _skipped(self, request: web.Request, query: Query, job: int, batch: Row) -> web.Response:
        """Answer the seed's skip and take; a batch is small enough to be counted through."""
        skip, take = query.whole("skip", 0), query.limit("take")
        rows = await self._store.item_pages.page_skip(
            job_id=job,
            first_seq=batch["first_seq"],
            last_seq=batch["last_seq"],
            skip=skip,
            limit=take + 1,
        )
        after = skip + take if len(rows) > take else None
        return answer_list(request, [shapes.item(row) for row in rows[:take]], after=after, parameter="skip")

    async def of_job(self, request: web.Request) -> web.Response:
        query, job = Query(request, *_FIELDS, "errorCode"), job_id(request)
        page = await self._lists.page(
            job_id=job,
            after=query.whole("after", 0),
            limit=query.limit(),
            status=query.one_of("status", ITEM_STATUSES),
            error_code=query.text("errorCode"),
        )
        if not page.rows:
            await check_job(self._store, job)
        return _answer(request, page)

    async def dead_letter(self, request: web.Request) -> web.Response:
        query, job = Query(request, "after", "limit"), job_id(request)
        page = await self._lists.dead_letters(job_id=job, after=query.whole("after", 0), limit=query.limit())
        if not page.rows:
            await check_job(self._store, job)
        return _answer(request, page)


def _answer(request: web.Request, page: Page) -> web.Response:
    return answer_list(request, [shapes.item(row) for row in page.rows], after=page.after)
