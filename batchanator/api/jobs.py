"""/jobs: lists, one job, and what an operator does to it."""

from collections.abc import Sequence

from aiohttp import web

from batchanator.api import shapes
from batchanator.api.admission import caller_of, check_job_type
from batchanator.api.answers import answer, answer_list
from batchanator.api.bodies import SMALL, Bodies, parse
from batchanator.api.parameters import JOB_STATUSES, LARGEST, Query, job_id
from batchanator.api.progress import Progress
from batchanator.api.requests import JobChanges, changes_of
from batchanator.api.service import Service
from batchanator.domain.errors import NotFoundError, UnknownJobTypeError
from batchanator.store.driver import Row
from batchanator.store.store import Store


class Jobs:
    def __init__(self, service: Service, bodies: Bodies) -> None:
        self._store = service.reads
        self._bodies = bodies
        self._operations = service.operations
        self._progress = Progress()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/jobs", self.list),
            web.get("/jobs/{id}", self.get),
            web.patch("/jobs/{id}", self.change),
            web.post("/jobs/{id}/cancel", self.cancel),
            web.post("/jobs/{id}/pause", self.pause),
            web.post("/jobs/{id}/resume", self.resume),
        ]

    async def list(self, request: web.Request) -> web.Response:
        query = Query(request, "status", "jobType", "after", "limit")
        limit, before = query.limit(), query.whole("after", LARGEST)
        status = query.one_of("status", JOB_STATUSES)
        rows: list[Row] = []
        for kind in await self._types(request, query.text("jobType")):
            rows += await self._store.jobs.list(
                before=before, limit=limit + 1, status=status, job_type_id=kind
            )
        rows.sort(key=lambda row: -row["id"])
        page = rows[:limit]
        data = [shapes.job(row, self._progress.of(row)) for row in page]
        return answer_list(request, data, after=page[-1]["id"] if len(rows) > limit else None)

    async def get(self, request: web.Request) -> web.Response:
        Query(request)
        return await self._answer(job_id(request))

    async def change(self, request: web.Request) -> web.Response:
        job = job_id(request)
        async with self._bodies.read(request, SMALL) as body:
            changes = changes_of(parse(body, JobChanges))
        await self._operations.limit_job(job, changes, actor=caller_of(request).actor)
        return await self._answer(job)

    async def cancel(self, request: web.Request) -> web.Response:
        cancelled = await self._operations.cancel(job_id(request), actor=caller_of(request).actor)
        return answer({"cancelledCount": cancelled})

    async def pause(self, request: web.Request) -> web.Response:
        await self._operations.pause(job_id(request), actor=caller_of(request).actor)
        return await self._answer(job_id(request))

    async def resume(self, request: web.Request) -> web.Response:
        await self._operations.resume(job_id(request), actor=caller_of(request).actor)
        return await self._answer(job_id(request))

    async def _types(self, request: web.Request, named: str | None) -> Sequence[int | None]:
        """Return the ids of the job types to list, each by itself; [None] are all in one."""
        if named is not None:
            check_job_type(request, named)
            return [await job_type_id(self._store, named)]
        caller = caller_of(request)
        if caller.job_types is None:
            return [None]
        return [kind["id"] for kind in await self._store.job_types.list() if caller.sees(kind["name"])]

    async def _answer(self, job_id: int) -> web.Response:
        row = await get_job(self._store, job_id)
        return answer(shapes.job(row, self._progress.of(row)))


async def job_type_id(store: Store, name: str) -> int:
    """Return the id of a job type. Raises UnknownJobTypeError."""
    kinds = {kind["name"]: int(kind["id"]) for kind in await store.job_types.list()}
    if name not in kinds:
        raise UnknownJobTypeError(name, list(kinds))
    return kinds[name]


async def get_job(store: Store, job_id: int) -> Row:
    row = await store.jobs.get(job_id)
    if row is None:
        raise NotFoundError(f"there is no job {job_id}")
    return row


async def check_job(store: Store, job_id: int) -> None:
    """Raise NotFoundError where there is no such job: for lists that came back empty."""
    if await store.jobs.type_of(job_id) is None:
        raise NotFoundError(f"there is no job {job_id}")
