"""Does everybody get a share? A thousand jobs side by side, and ten items behind two million."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from batchanator.app.parts import Parts
from batchanator.app.runtime import Runtime
from batchanator.domain.submission import Entry, JobOptions
from batchanator.handlers import JobContext, handler
from batchanator.handlers.registry import Registry
from batchanator.store.wakeups import wait_for
from benchmarks.deep import JOB_ID, fill
from benchmarks.figures import Report, Target
from benchmarks.places import Place, postgres, sqlite
from benchmarks.processes import running
from benchmarks.rounds import STEP_SECONDS, Plan
from benchmarks.work import JOB_TYPE, Payload, line, registry

JOBS, ITEMS_OF_EACH, SLICE = 1000, 100, 5
BIG, SMALL, TIMES = 2_000_000, 10, 5
PAUSE_SECONDS = 0.3
LOOK_SECONDS = 0.02


def jain(shares: Sequence[int]) -> float:
    """Return Jain's index: 1 where all shares are equal, 1/n where one has everything.

    Jain, Chiu, Hawe: A quantitative measure of fairness and discrimination (DEC-TR-301, 1984).
    """
    return sum(shares) ** 2 / (len(shares) * sum(share * share for share in shares))


async def measure_shares(place: Place) -> float:
    """Return Jain's index of what a thousand equal jobs have done when half of all is done."""
    await place.fresh()
    done: Counter[int] = Counter()
    half = asyncio.Event()

    @handler(JOB_TYPE)
    async def count(_payload: Payload, context: JobContext) -> None:
        done[context.job_id] += 1
        if done.total() == JOBS * ITEMS_OF_EACH // 2:
            shares.append(jain([done[job] for job in jobs]))
            half.set()

    shares: list[float] = []
    handlers = Registry()
    handlers.add(count)
    with tempfile.TemporaryDirectory(prefix="batchanator-bench-") as name:
        folder = Path(name)
        async with running(place, folder, handlers, Parts(dispatch=False)) as runtime:
            jobs = [await _submit(runtime, f"{number}", ITEMS_OF_EACH) for number in range(JOBS)]
        async with running(place, folder, handlers), asyncio.timeout(STEP_SECONDS):
            await half.wait()
    return shares[0]


async def measure_behind(place: Place) -> list[float]:
    """Return how many seconds ten items take, from their submission to their job's end, while a million others run."""
    await fill(place, BIG)
    waits = []
    with tempfile.TemporaryDirectory(prefix="batchanator-bench-") as folder:
        async with running(place, Path(folder), registry()) as runtime, asyncio.timeout(STEP_SECONDS):
            for number in range(TIMES):
                await asyncio.sleep(PAUSE_SECONDS)
                begun = perf_counter()
                job = await _submit(runtime, f"small {number}", SMALL)
                while not await _has_ended(runtime, job):
                    await wait_for(runtime.wakeups.ended, LOOK_SECONDS)
                waits.append(perf_counter() - begun)
            if await _has_ended(runtime, JOB_ID):
                raise AssertionError("the big job ended first: nothing was behind it")
    return waits


async def _submit(runtime: Runtime, prefix: str, items: int) -> int:
    entries = [Entry(f"{prefix}/{number}", line(number).strip()) for number in range(items)]
    options = JobOptions(slice_size=SLICE)
    job = await runtime.submitter.items(JOB_TYPE, entries, name=prefix, options=options, request=None)
    return job.job_id


async def _has_ended(runtime: Runtime, job: int) -> bool:
    row = await runtime.store.jobs.get(job)
    assert row is not None
    return row["ended_at"] is not None


async def fairness(report: Report, plan: Plan) -> None:
    with postgres() as server, sqlite() as file:
        places: tuple[Place, ...] = (server, file)
        for place in places:
            shares = [await measure_shares(place) for _ in plan.each_round()]
            report.add("fairness", f"{place.name}: Jain's index, 1,000 jobs", "", shares, Target("≥", 0.95))


async def behind(report: Report, _plan: Plan) -> None:
    """One round of five small jobs."""
    with postgres() as server, sqlite() as file:
        places: tuple[Place, ...] = (server, file)
        for place in places:
            waits = await measure_behind(place)
            report.add("behind", f"{place.name}: ten items behind two million", "s", waits, Target("≤", 1.0))
