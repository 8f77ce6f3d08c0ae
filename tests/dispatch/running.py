"""A runtime in this process whose handlers wait for the test."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import orjson
from pydantic import BaseModel

from batchanator import JobContext, handler
from batchanator.app.parts import Parts
from batchanator.app.runtime import Runtime
from batchanator.domain.submission import Entry, JobOptions
from batchanator.handlers.registry import Registry
from batchanator.settings import load_settings

DEADLINE = 30


class Nothing(BaseModel):
    pass


class Gate:
    """A handler that counts its starts and waits until the test opens it."""

    def __init__(self) -> None:
        self.started = 0
        self.running = 0
        self.most = 0
        self.times: list[float] = []
        self.takes = 0.0
        """How long an item takes once the gate is open."""
        self.opened = asyncio.Event()

    async def wait(self) -> None:
        self.started += 1
        self.running += 1
        self.most = max(self.most, self.running)
        self.times.append(monotonic())
        try:
            await self.opened.wait()
            if self.takes:
                await asyncio.sleep(self.takes)
        finally:
            self.running -= 1

    async def reaches(self, started: int) -> None:
        await until(lambda: self.started >= started)


@asynccontextmanager
async def gated(
    url: str, gate: Gate, *, parts: Parts | None = None, **overrides: Any
) -> AsyncIterator[Runtime]:
    """Yield a running process of the service, as far as the database can see, with one handler, "gate"."""

    @handler("gate", max_attempts=1)
    async def wait(payload: Nothing, context: JobContext) -> None:
        await gate.wait()

    given = {"database_url": url, "polling_interval_seconds": 0.2, **overrides}
    settings = load_settings(cwd=Path.cwd(), environ={}, overrides=given)
    registry = Registry()
    registry.add(wait)
    runtime = Runtime(settings, registry, (Path.cwd(),), parts or Parts())
    await runtime.open()
    await runtime.start()
    try:
        yield runtime
    finally:
        gate.opened.set()
        await runtime.stop()


async def submit(
    runtime: Runtime, count: int, *, prefix: str = "k", job_type: str = "gate", **options: Any
) -> int:
    entries = [Entry(f"{prefix}-{number}", orjson.dumps({})) for number in range(count)]
    job = await runtime.submitter.items(
        job_type, entries, name=None, options=JobOptions(**options), request=None
    )
    return job.job_id


async def ended(runtime: Runtime, job_id: int) -> Any:
    async with asyncio.timeout(DEADLINE):
        while True:
            job = await runtime.store.jobs.get(job_id)
            assert job is not None
            if job["ended_at"] is not None:
                return job
            await asyncio.sleep(0.02)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE):
        while True:
            if holds():
                return
            await asyncio.sleep(0.005)


def counts(job: Any, names: Sequence[str] = ("succeeded", "cancelled")) -> tuple[int, ...]:
    return tuple(int(job[name]) for name in names)
