"""What a process holds while it reads and runs a file, beside what it holds when idle."""

import asyncio
import json
import sys
import tempfile
from pathlib import Path

from benchmarks.figures import Report, Target
from benchmarks.places import Place, postgres, sqlite
from benchmarks.rounds import Plan
from benchmarks.work import write_lines

LINES = 2_000_000
MOST_SECONDS = 600.0


async def measure_memory(place: Place, path: Path) -> tuple[float, float]:
    """Return the MB (10^6 bytes) of an idle process, and the most it had while it took `path`."""
    await place.fresh()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.resident", place.url, str(path)),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(MOST_SECONDS):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    idle, most = json.loads(said)
    return idle / 1e6, most / 1e6


async def memory(report: Report, plan: Plan) -> None:
    """One round: a file of two million lines (never fewer than --items)."""
    with (
        tempfile.TemporaryDirectory(prefix="batchanator-bench-") as folder,
        postgres() as server,
        sqlite() as file,
    ):
        path = write_lines(Path(folder) / "lines.ndjson", max(LINES, plan.items))
        places: tuple[Place, ...] = (server, file)
        for place in places:
            idle, most = await measure_memory(place, path)
            report.add("memory", f"{place.name}: idle", "MB", [idle])
            report.add("memory", f"{place.name}: file, above idle", "MB", [most - idle], Target("≤", 150))
