"""From the start of a process, its interpreter and imports included, to its first claim of work that waits."""

import asyncio
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from batchanator.app.parts import Parts
from batchanator.domain.submission import Entry, JobOptions
from benchmarks.figures import Report, Target
from benchmarks.places import Place, postgres, sqlite
from benchmarks.processes import running
from benchmarks.rounds import Plan
from benchmarks.work import JOB_TYPE, line, registry


async def measure_start(place: Place) -> float:
    """Return the seconds from starting an interpreter until it says that it has claimed."""
    await place.fresh()
    with tempfile.TemporaryDirectory(prefix="batchanator-bench-") as folder:
        async with running(place, Path(folder), registry(), Parts(dispatch=False)) as runtime:
            entries = [Entry("first", line(1).strip())]
            await runtime.submitter.items(JOB_TYPE, entries, name=None, options=JobOptions(), request=None)
        begun = perf_counter()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.first_claim", place.url, folder),
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            assert process.stdout is not None
            async with asyncio.timeout(30):
                said = await process.stdout.readline()
                took = perf_counter() - begun
                await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    if said != b"claimed\n":
        raise AssertionError("the process did not claim")
    return took


async def start(report: Report, plan: Plan) -> None:
    with postgres() as server, sqlite() as file:
        places: tuple[Place, ...] = (server, file)
        seconds: dict[str, list[float]] = {place.name: [] for place in places}
        for _ in plan.each_round():
            for place in places:
                seconds[place.name].append(await measure_start(place))
    for name, samples in seconds.items():
        report.add("start", f"{name}: start to first claim", "s", samples, Target("≤", 1))
