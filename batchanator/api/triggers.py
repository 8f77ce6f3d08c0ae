"""POST /jobs/{jobType}/trigger/…: new jobs. What is answered with 202 is committed."""

import asyncio

from aiohttp import web

from batchanator.api.answers import answer
from batchanator.api.bodies import SMALL, Bodies, parse
from batchanator.api.entries import entries_of, parse_items
from batchanator.api.idempotency import RequestKeys
from batchanator.api.new_jobs import accepted
from batchanator.api.problems import NO_ITEMS, TOO_MANY, ProblemError
from batchanator.api.requests import FileTrigger, ItemsTrigger, job_name, job_options, parse_database
from batchanator.api.service import Limits, Service
from batchanator.domain.submission import Entry

BESIDE = 256 << 10
"""Bytes from which a body is parsed in a thread, so that other requests need not wait for it."""


class Triggers:
    def __init__(self, service: Service, bodies: Bodies) -> None:
        self._submissions = service.submissions
        self._store = service.reads
        self._defaults = service.defaults
        self._limits = service.limits
        self._bodies = bodies
        self._keys = RequestKeys()

    def routes(self) -> list[web.RouteDef]:
        trigger = "/jobs/{jobType}/trigger/"
        return [
            web.post(f"{trigger}file", self.file),
            web.post(f"{trigger}database", self.database),
            web.post(f"{trigger}items", self.items),
        ]

    async def file(self, request: web.Request) -> web.Response:
        async with self._bodies.read(request, SMALL) as body:
            asked = parse(body, FileTrigger)
            with self._keys.claim(request, body) as key:
                job = await self._submissions.file(
                    request.match_info["jobType"],
                    asked.file_path,
                    name=job_name(asked.job_name),
                    options=job_options(asked.options, self._defaults),
                    request=key,
                )
        return await accepted(request, self._store, job)

    async def database(self, request: web.Request) -> web.Response:
        async with self._bodies.read(request, SMALL) as body:
            asked = parse_database(body)
            with self._keys.claim(request, body) as key:
                job = await self._submissions.database(
                    request.match_info["jobType"],
                    options=job_options(asked.options, self._defaults),
                    request=key,
                )
        if job is None:
            return answer({"message": f"Nothing is pending for {request.match_info['jobType']}."})
        return await accepted(request, self._store, job)

    async def items(self, request: web.Request) -> web.Response:
        async with self._bodies.read(request, self._limits.max_bytes) as body:
            asked, entries = await _read(body, self._limits)
            with self._keys.claim(request, body) as key:
                job = await self._submissions.items(
                    request.match_info["jobType"],
                    entries,
                    name=job_name(asked.job_name),
                    options=job_options(asked.options, self._defaults),
                    request=key,
                )
        return await accepted(request, self._store, job, counts=True)


async def _read(body: bytes, limits: Limits) -> tuple[ItemsTrigger, list[Entry]]:
    def work() -> tuple[ItemsTrigger, list[Entry]]:
        asked = parse_items(body)
        if not asked.items:
            raise ProblemError(NO_ITEMS, "There are no items: send at least one.")
        if len(asked.items) > limits.max_items:
            detail = f"{len(asked.items)} items; at most {limits.max_items} are taken in one request."
            raise ProblemError(TOO_MANY, detail)
        return asked, entries_of(asked.items)

    return work() if len(body) < BESIDE else await asyncio.to_thread(work)
