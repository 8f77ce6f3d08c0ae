"""A process that starts, claims, and says so: `python -m benchmarks.first_claim URL FOLDER`."""

import asyncio
import sys
from pathlib import Path

from batchanator.app.runtime import Runtime
from batchanator.logs import configure_logging
from benchmarks.loops import run
from benchmarks.processes import settings_for
from benchmarks.work import registry


async def claim(url: str, folder: Path) -> None:
    runtime = Runtime(settings_for(url, folder), registry(), (folder,))
    await runtime.open()
    await runtime.start()
    assert runtime.worker is not None
    async with asyncio.timeout(20):
        await runtime.worker.dispatcher.claimed.wait()
    print("claimed", flush=True)
    await runtime.stop()


if __name__ == "__main__":
    configure_logging("json", "warning")
    run(claim(sys.argv[1], Path(sys.argv[2])))
