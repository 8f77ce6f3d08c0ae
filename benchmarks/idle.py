"""What processes cost that have nothing to do."""

import asyncio
import socket
import sys

import aiohttp
import psutil

from benchmarks.figures import Report, Target
from benchmarks.places import Place, postgres, sqlite
from benchmarks.rounds import Plan

SECONDS = 20.0
START_SECONDS = 30.0
COMMANDS = ("serve", "api", "scheduler")


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


async def measure_idle(place: Place) -> dict[str, float]:
    """Return how many percent of a core each kind of process takes, over twenty seconds, all at once."""
    await place.fresh()
    processes: dict[str, asyncio.subprocess.Process] = {}
    try:
        for command in COMMANDS:
            processes[command] = await _start(command, place.url)
        await asyncio.sleep(3)
        before = {name: _cpu(process.pid) for name, process in processes.items()}
        await asyncio.sleep(SECONDS)
        return {
            name: (_cpu(process.pid) - before[name]) / SECONDS * 100 for name, process in processes.items()
        }
    finally:
        for process in processes.values():
            if process.returncode is None:
                process.terminate()
                await process.wait()


async def _start(command: str, url: str) -> asyncio.subprocess.Process:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "batchanator", command, "--port", str(port)),
        *("--database", url, "--handlers", "samples.handlers"),
        stderr=asyncio.subprocess.DEVNULL,
    )
    async with asyncio.timeout(START_SECONDS), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(f"http://127.0.0.1:{port}/readyz") as response:
                    if response.status == 200:
                        return process
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)


def _cpu(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


async def idle(report: Report, _plan: Plan) -> None:
    with postgres() as server, sqlite() as file:
        places: tuple[Place, ...] = (server, file)
        for place in places:
            for command, percent in (await measure_idle(place)).items():
                report.add("idle", f"{place.name}: {command}", "% of a core", [percent], Target("≤", 0.5))
