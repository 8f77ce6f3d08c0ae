"""/handlers: the job types that are known, which of them have their handler here, and the limits that operators set."""

from typing import Any

from aiohttp import web

from batchanator.api.admission import caller_of
from batchanator.api.answers import answer, answer_list
from batchanator.api.bodies import SMALL, Bodies, parse
from batchanator.api.parameters import Query
from batchanator.api.requests import JobTypeChanges, changes_of
from batchanator.api.service import Service
from batchanator.store.driver import Row


class Handlers:
    def __init__(self, service: Service, bodies: Bodies) -> None:
        self._store = service.reads
        self._operations = service.operations
        self._bodies = bodies
        self._registry = service.registry

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/handlers", self.list), web.patch("/handlers/{jobType}", self.change)]

    async def list(self, request: web.Request) -> web.Response:
        Query(request)
        kinds = [kind for kind in await self._store.job_types.list() if caller_of(request).sees(kind["name"])]
        live = await self._store.jobs.live_by_type()
        return answer_list(request, [self._shape(kind, live.get(kind["id"])) for kind in kinds], after=None)

    async def change(self, request: web.Request) -> web.Response:
        name = request.match_info["jobType"]
        async with self._bodies.read(request, SMALL) as body:
            changes = changes_of(parse(body, JobTypeChanges))
        await self._operations.limit_job_type(name, changes, actor=caller_of(request).actor)
        kinds = {kind["name"]: kind for kind in await self._store.job_types.list()}
        live = await self._store.jobs.live_by_type()
        return answer(self._shape(kinds[name], live.get(kinds[name]["id"])))

    def _shape(self, kind: Row, live: Row | None) -> dict[str, Any]:
        name = kind["name"]
        handler = self._registry.get(name) if name in self._registry else None
        return {
            "jobType": name,
            "handler": None if handler is None else handler.source,
            "wholeSlice": None if handler is None else handler.whole_slice,
            "sliceSize": kind["slice_size"],
            "timeoutSeconds": kind["timeout_seconds"],
            "maxAttempts": kind["max_attempts"],
            "maxRetryDelaySeconds": kind["backoff_cap_seconds"],
            "retryJitter": bool(kind["backoff_jitter"]),
            "paused": kind["paused_at"] is not None,
            "maxConcurrency": kind["max_concurrency"],
            "ratePerSecond": kind["rate"],
            "liveJobs": 0 if live is None else live["jobs"],
            "pausedJobs": 0 if live is None else live["paused"],
        }
