import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel

from batchanator import Failed, JobContext, Skipped, Succeeded, handler
from batchanator.app.runtime import Runtime
from batchanator.domain.submission import Entry, JobOptions
from batchanator.handlers.registry import Registry
from batchanator.settings import load_settings
from tests.dispatch.running import DEADLINE, ended


class Abort(BaseException):
    """What some libraries raise past `except Exception`."""


class Odd(BaseModel):
    kind: str


@handler("odd", max_attempts=1)
async def odd(payload: Odd, context: JobContext) -> Any:
    match payload.kind:
        case "surrogate":
            return Skipped("lone \ud800")
        case "nul":
            return Skipped("a\0b")
        case "number":
            return Skipped(5)  # type: ignore[arg-type]
        case "failed":
            return Failed("\ud800\0", code="\ud800")
        case "abort":
            raise Abort("out of here")
        case "exit":
            raise SystemExit(3)
        case "cancelled":
            raise asyncio.CancelledError
        case "result":
            return Succeeded({"text": "\ud800"})
        case _:
            return None


@handler("slow", max_attempts=1)
async def slow(payload: Odd, context: JobContext) -> None:
    await asyncio.sleep(0.05)


@asynccontextmanager
async def running(url: str) -> AsyncIterator[Runtime]:
    overrides = {"database_url": url, "polling_interval_seconds": 0.2}
    settings = load_settings(cwd=Path.cwd(), environ={}, overrides=overrides)
    registry = Registry()
    registry.add(odd)
    registry.add(slow)
    runtime = Runtime(settings, registry, (Path.cwd(),))
    await runtime.open()
    await runtime.start()
    try:
        yield runtime
    finally:
        await runtime.stop()


async def submit(runtime: Runtime, job_type: str, kinds: list[str], **options: Any) -> int:
    entries = [Entry(f"{job_type}-{n}", orjson.dumps({"kind": kind})) for n, kind in enumerate(kinds)]
    job = await runtime.submitter.items(
        job_type, entries, name=None, options=JobOptions(**options), request=None
    )
    return job.job_id


async def test_whatever_a_handler_answers_or_raises_its_items_end_and_its_neighbours_go_on(
    database_url: str,
) -> None:
    kinds = ["surrogate", "nul", "number", "failed", "abort", "exit", "cancelled", "result", "plain"] * 3
    async with running(database_url) as runtime:
        job = await ended(runtime, await submit(runtime, "odd", kinds))
        assert (job["succeeded"], job["skipped"], job["dead"]) == (3, 9, 15)
        again = await ended(runtime, await submit(runtime, "slow", ["plain"] * 20))
        assert again["succeeded"] == 20, "no runner was lost"


async def test_a_job_that_runs_one_by_one_does_not_keep_others_waiting(database_url: str) -> None:
    async with running(database_url) as runtime:
        capped = await submit(runtime, "slow", ["plain"] * 150, max_concurrency=1)
        assert runtime.worker is not None
        async with asyncio.timeout(DEADLINE):
            await runtime.worker.dispatcher.claimed.wait()
        await ended(runtime, await submit(runtime, "odd", ["plain"]))
        job = await runtime.store.jobs.get(capped)
        assert job is not None
        assert job["ended_at"] is None, "the small job ended while the capped one was still running"
