"""A served API, asked over real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from yarl import URL

from batchanator.app.parts import Parts
from batchanator.app.serving import Serving
from batchanator.handlers.registry import Registry
from batchanator.settings import load_settings
from tests.api import conforming, handlers
from tests.contract.world import World
from tests.support.canaries import KEY, PASSWORD, sung

DEADLINE = 20.0
QUIET = Parts(dispatch=False, ingest=False)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.body.splitlines()]

    @property
    def problem(self) -> str:
        """The kind of a problem, which is checked to be one."""
        assert self.headers["Content-Type"] == "application/problem+json"
        told = self.json
        assert {"type", "title", "status", "detail"} <= told.keys()
        assert told["status"] == self.status
        return str(told["type"]).removeprefix("urn:batchanator:problem:")

    @property
    def next(self) -> str | None:
        link = self.headers.get("Link")
        if link is None:
            return None
        assert link.endswith('>; rel="next"')
        return link[1:].partition(">")[0]


class Client:
    def __init__(
        self, serving: Serving, base: str, session: aiohttp.ClientSession, world: World | None
    ) -> None:
        self.serving = serving
        self.base = base
        self.session = session
        self._world = world

    @property
    def world(self) -> World:
        assert self._world is not None
        return self._world

    @property
    def port(self) -> int:
        port = URL(self.base).port
        assert port is not None
        return port

    async def ask(self, method: str, path: str, **options: Any) -> Answer:
        url = URL(self.base + path, encoded=True)
        async with self.session.request(method, url, **options) as response:
            answer = Answer(response.status, dict(response.headers), await response.read())
        if method in {"GET", "POST", "DELETE", "PATCH"}:
            conforming.check(method, path, answer.status, response.content_type, answer.body)
        assert not {PASSWORD, KEY} & set(sung(f"{answer.headers}") + sung(answer.body)), path
        return answer

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.ask("GET", path, **options)

    async def post(self, path: str, body: Any = None, **options: Any) -> Answer:
        options = {"data": body, **options} if isinstance(body, bytes) else {"json": body, **options}
        return await self.ask("POST", path, **options)

    async def items(self, *plans: Any, job_type: str = "echo", prefix: str = "k", **more: Any) -> int:
        """Submit direct items with these payloads and return the job's id."""
        items = [{"idempotencyKey": f"{prefix}{n}", "payload": plan} for n, plan in enumerate(plans, 1)]
        answer = await self.post(f"/jobs/{job_type}/trigger/items", {"items": items, **more})
        assert answer.status == 202, answer
        return int(answer.json["jobId"])

    async def job(self, job_id: int) -> dict[str, Any]:
        answer = await self.get(f"/jobs/{job_id}")
        assert answer.status == 200, answer
        job: dict[str, Any] = answer.json
        counts = dict(job["counts"])
        assert counts.pop("total") == sum(counts.values()), "counts are disjoint and sum to total"
        return job

    async def ended(self, job_id: int) -> dict[str, Any]:
        async def probe() -> dict[str, Any] | None:
            job = await self.job(job_id)
            return job if job["endedAt"] is not None else None

        ended: dict[str, Any] = await until(probe)
        return ended

    async def pages(self, path: str) -> list[list[Any]]:
        """Follow the Link headers of a list; each page must say the same in its body."""
        pages, at = [], path
        while True:
            answer = await self.get(at)
            assert answer.status == 200, answer
            told = answer.json
            pages.append(told["data"])
            assert told["hasMore"] == (answer.next is not None) == (told["next"] is not None)
            if answer.next is None:
                return pages
            at = answer.next


async def until(probe: Callable[[], Awaitable[Any]]) -> Any:
    """Return the first truthy value of `probe`."""
    async with asyncio.timeout(DEADLINE):
        while True:
            if value := await probe():
                return value
            await asyncio.sleep(0.01)


def make_serving(url: str, folder: Path, *, parts: Parts | None = None, **settings: Any) -> Serving:
    environ = {f"BATCHANATOR_{name.upper()}": str(value) for name, value in settings.items()}
    registry = Registry()
    registry.add_module(handlers)
    loaded = load_settings(
        config=None, cwd=folder, environ=environ, overrides={"database_url": url, "port": 0}
    )
    return Serving(loaded, registry, [folder], parts or Parts())


@asynccontextmanager
async def served(
    url: str, folder: Path, *, parts: Parts | None = None, opened: bool = True, **settings: Any
) -> AsyncIterator[Client]:
    serving = make_serving(url, folder, parts=parts, **settings)
    address = (await serving.listen())[0]
    world = None
    try:
        if opened:
            await serving.open()
        if parts is QUIET:
            world = await World.begin(url)
        async with aiohttp.ClientSession() as session:
            yield Client(serving, str(address), session, world)
    finally:
        if world is not None:
            await world.end()
        await serving.stop()
