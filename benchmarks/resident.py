"""A process that takes a file and says what it held: `python -m benchmarks.resident URL FILE` prints [idle, most]."""

import asyncio
import json
import sys
from pathlib import Path

import psutil

from batchanator.app.runtime import Runtime
from batchanator.domain.submission import JobOptions
from batchanator.logs import configure_logging
from benchmarks.loops import run
from benchmarks.processes import settings_for
from benchmarks.work import JOB_TYPE, registry


async def take(url: str, path: Path) -> None:
    runtime = Runtime(settings_for(url, path.parent), registry(), (path.parent,))
    await runtime.open()
    await runtime.start()
    assert runtime.worker is not None
    own = psutil.Process()
    await asyncio.sleep(2)
    idle = most = own.memory_info().rss
    ended = runtime.wakeups.ended
    await runtime.submitter.file(JOB_TYPE, path.name, name=None, options=JobOptions(), request=None)
    while not ended.is_set():
        await asyncio.sleep(0.02)
        most = max(most, own.memory_info().rss)
    print(json.dumps([idle, most]), flush=True)
    await runtime.stop()


if __name__ == "__main__":
    configure_logging("json", "warning")
    run(take(sys.argv[1], Path(sys.argv[2])))
