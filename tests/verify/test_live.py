"""verify asks a database in which everything moves: what is only in motion is no fault."""

import asyncio
from pathlib import Path

from pydantic import BaseModel

from batchanator.app.runtime import Runtime
from batchanator.domain.submission import JobOptions
from batchanator.handlers import Failed, JobContext, Outcome, Skipped, Succeeded, handler
from batchanator.handlers.registry import Registry
from batchanator.settings import load_settings
from batchanator.store.operations import Operations
from tests.support.checking import assert_verified

LINES = 3000


class Line(BaseModel):
    n: int


@handler("mixed", slice_size=5, max_attempts=2)
async def mixed(line: Line, context: JobContext) -> Outcome:
    if line.n % 11 == 0:
        return Failed("it broke", "Broken", retry_after=0.05)
    if line.n % 13 == 0 and context.attempt == 1:
        return Failed("once", "Once", retry_after=0.05)
    if line.n % 17 == 0:
        return Skipped("not applicable")
    if line.n % 29 == 0:
        await asyncio.sleep(0.3)  # slow: what is done around it is flushed
    return Succeeded({"n": line.n})


def _write(path: Path, first: int) -> None:
    lines = [f'{{"idempotency_key": "k{n}", "n": {n}}}\n' for n in range(first, first + LINES)]
    path.write_text("".join(lines) + "no JSON\n")


async def test_a_database_at_work_is_clean_at_every_moment(database_url: str, tmp_path: Path) -> None:
    settings = load_settings(cwd=tmp_path, environ={}, overrides={"database_url": database_url})
    registry = Registry()
    registry.add(mixed)
    runtime = Runtime(settings, registry, (tmp_path,))
    await runtime.open()
    await runtime.start()
    store, operations = runtime.store, Operations(runtime.store, runtime.wakeups)
    jobs = []
    for number in range(3):  # each overlaps the one before: duplicates of what may be in work
        _write(tmp_path / f"{number}.ndjson", number * LINES // 2)
        options = JobOptions(strict=number == 2)
        job = await runtime.submitter.file(
            "mixed", f"{number}.ndjson", name=None, options=options, request=None
        )
        jobs.append(job.job_id)
    looks, stopped, replayed = 0, False, False
    async with asyncio.timeout(100):
        while True:
            await assert_verified(store)
            looks += 1
            rows = [row for job_id in jobs if (row := await store.jobs.get(job_id)) is not None]
            if not stopped and rows[1]["status"] == "processing":
                await operations.cancel(jobs[1], actor="test")
                stopped = True
            if rows[0]["ended_at"] is not None and not replayed:
                replayed = (await operations.replay(jobs[0], actor="test")).replayed > 0
            elif all(row["ended_at"] is not None for row in rows):
                break
    await runtime.stop()
    assert looks > 3
    assert replayed
    await assert_verified(database_url)
