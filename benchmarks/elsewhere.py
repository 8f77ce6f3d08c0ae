"""What answers /process in the bench: `api` as it is, or aiohttp alone. `python -m benchmarks.elsewhere api|bare`."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
from aiohttp import web

from batchanator.app.parts import API
from batchanator.app.serving import Serving
from batchanator.logs import configure_logging
from batchanator.settings import load_settings
from benchmarks.loops import run
from benchmarks.work import registry

ANSWER = b'{"success":true,"result":null,"error":null,"code":null,"permanent":false,"retryAfter":null,"skipped":null}'


async def serve_api() -> None:
    with tempfile.TemporaryDirectory(prefix="batchanator-bench-") as folder:
        url = f"sqlite:///{Path(folder, 'api.db').as_posix()}"
        settings = load_settings(cwd=Path(folder), environ={}, overrides={"database_url": url, "port": 0})
        serving = Serving(settings, registry(), [], API)
        (address,) = await serving.listen()
        await serving.open()
        await _until_told(str(address))
        await serving.stop()


async def serve_bare() -> None:
    async def process(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(body=ANSWER, content_type="application/json")

    app = web.Application()
    app.add_routes([web.post("/process", process)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    await _until_told(f"http://127.0.0.1:{site.port}")
    await runner.cleanup()


async def _until_told(address: str) -> None:
    """Say where this listens, and go on until the other end of stdin is closed."""
    print(address, flush=True)
    await asyncio.to_thread(sys.stdin.read)


class Elsewhere:
    """A process that answers at `url`."""

    def __init__(self, url: str, pid: int) -> None:
        self.url = url
        self._process = psutil.Process(pid)

    def cpu(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)


@asynccontextmanager
async def elsewhere(kind: str) -> AsyncIterator[Elsewhere]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.elsewhere", kind),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=dict(os.environ),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            address = (await process.stdout.readline()).decode().strip()
        yield Elsewhere(address, process.pid)
    finally:
        process.stdin.close()
        try:
            async with asyncio.timeout(10):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


if __name__ == "__main__":
    configure_logging("json", "warning")
    run(serve_api() if sys.argv[1] == "api" else serve_bare())
