"""How long one item waits: from its submission, in the same idle process, until its handler starts."""

import asyncio
import tempfile
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

from batchanator.domain.submission import Entry, JobOptions
from batchanator.handlers import JobContext, handler
from batchanator.handlers.registry import Registry
from benchmarks.figures import Report, Target
from benchmarks.places import Place, postgres, sqlite
from benchmarks.processes import running
from benchmarks.rounds import STEP_SECONDS, Plan
from benchmarks.work import JOB_TYPE, Payload, line

TIMES = 100
PAUSE_SECONDS = 0.02


async def measure_pick_up(place: Place) -> list[float]:
    """Return milliseconds from the call of the trigger to the handler's first line, one item at a time."""
    started: asyncio.Queue[float] = asyncio.Queue()

    @handler(JOB_TYPE)
    async def note(_payload: Payload, _context: JobContext) -> None:
        started.put_nowait(perf_counter())

    handlers = Registry()
    handlers.add(note)
    waits: list[float] = []
    with tempfile.TemporaryDirectory(prefix="batchanator-bench-") as folder:
        async with running(place, Path(folder), handlers) as runtime, asyncio.timeout(STEP_SECONDS):
            ended = runtime.wakeups.ended
            for number in range(TIMES):
                await asyncio.sleep(PAUSE_SECONDS)  # its claimer has found nothing more and waits
                ended.clear()
                entry = Entry(f"one-{number}", line(number).strip())
                begun = perf_counter()
                await runtime.submitter.items(
                    JOB_TYPE, [entry], name=None, options=JobOptions(), request=None
                )
                waits.append((await started.get() - begun) * 1000)
                await ended.wait()
    return waits


async def latency(report: Report, plan: Plan) -> None:
    with postgres() as server, sqlite() as file:
        places: tuple[Place, ...] = (server, file)
        waits: dict[str, list[list[float]]] = {place.name: [] for place in places}
        for _ in plan.each_round():
            for place in places:
                await place.fresh()
                waits[place.name].append(await measure_pick_up(place))
    for name, rounds in waits.items():
        report.add("latency", f"{name}: pick-up, p50", "ms", [median(one) for one in rounds], Target("≤", 5))
        report.add("latency", f"{name}: pick-up, p95", "ms", [quantiles(one, n=20)[-1] for one in rounds])
