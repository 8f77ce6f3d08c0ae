"""POST /jobs/{jobType}/trigger/…: new jobs. What is answered with 202 is committed."""

import asyncio
from typing import Any

from aiohttp import web

from batchanator.api.answers import answer
from batchanator.api.bodies import SMALL, Bodies, parse
from batchanator.api.entries import entries_of, parse_items
from batchanator.api.idempotency import RequestKeys
from batchanator.api.problems import NO_ITEMS, TOO_MANY, ProblemError
from batchanator.api.requests import FileTrigger, ItemsTrigger, job_name, job_options, parse_database
from batchanator.api.service import Limits, Service
from batchanator.domain.errors import StoreError
from batchanator.domain.submission import Entry, Submitted

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
        return await self._accepted(request, job)

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
        return await self._accepted(request, job)

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
        return await self._accepted(request, job, counts=True)

    async def _accepted(self, request: web.Request, job: Submitted, *, counts: bool = False) -> web.Response:
        body: dict[str, Any] = {"jobId": job.job_id, "jobType": request.match_info["jobType"]}
        body |= await self._state(job.job_id, counts=counts)
        headers = {"Location": f"/jobs/{job.job_id}"}
        if job.replayed:
            headers["Idempotency-Replayed"] = "true"
        return answer(body, status=202, headers=headers)

    async def _state(self, job_id: int, *, counts: bool) -> dict[str, Any]:
        """Return what is known of a job that is committed: failing to read it now is no reason to say it failed."""
        try:
            row = await self._store.jobs.get(job_id)
        except StoreError:
            row = None
        if row is None:
            return {"status": "pending"}
        named = ("accepted", "duplicates", "rejected") if counts else ()
        return {"status": row["status"], **{name: row[name] for name in named}}


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
