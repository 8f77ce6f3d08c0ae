"""The product in this process, as `app` wires it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from batchanator.app.parts import Parts
from batchanator.app.runtime import Runtime
from batchanator.domain.observing import NOBODY, Observer
from batchanator.domain.submission import JobOptions
from batchanator.handlers.registry import Registry
from batchanator.settings import Settings, load_settings
from benchmarks.places import Place
from benchmarks.work import JOB_TYPE


def settings_for(url: str, folder: Path, **more: str) -> Settings:
    environ = {f"BATCHANATOR_{name.upper()}": value for name, value in more.items()}
    return load_settings(cwd=folder, environ=environ, overrides={"database_url": url})


@asynccontextmanager
async def running(
    place: Place,
    folder: Path,
    handlers: Registry,
    parts: Parts | None = None,
    *,
    observer: Observer = NOBODY,
    **settings: str,
) -> AsyncIterator[Runtime]:
    """Open and start the product; `folder` is where its files may lie."""
    given = settings_for(place.url, folder, **settings)
    runtime = Runtime(given, handlers, (folder,), parts or Parts(), observer=observer)
    await runtime.open(wait=timedelta(seconds=10))
    try:
        await runtime.start()
        yield runtime
    finally:
        await runtime.stop(timedelta(seconds=2))


async def ingest(runtime: Runtime, path: Path) -> int:
    """Send a file and wait until it is read to its end; returns the job's id."""
    assert runtime.ingestor is not None
    job = await runtime.submitter.file(JOB_TYPE, path.name, name=None, options=JobOptions(), request=None)
    while True:
        await asyncio.sleep(0.002)
        if runtime.ingestor.idle:
            row = await runtime.store.jobs.get(job.job_id)
            assert row is not None
            if row["sealed_at"] is not None:
                return job.job_id
