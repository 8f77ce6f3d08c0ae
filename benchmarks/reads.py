"""What the API's reads cost with two million items: `GET /jobs/{id}` and an item's status, as their statements."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from statistics import median, quantiles
from time import perf_counter

from batchanator.store.store import Store, driver_for
from benchmarks.deep import JOB_ID, fill
from benchmarks.figures import Report, Target
from benchmarks.places import Place, postgres, sqlite
from benchmarks.rounds import STEP_SECONDS, Plan

ITEMS = 2_000_000
TIMES = 200
SEED = 7


async def _waits(read: Callable[[], Awaitable[object]]) -> list[float]:
    waits = []
    for _ in range(TIMES):
        begun = perf_counter()
        assert await read() is not None
        waits.append((perf_counter() - begun) * 1000)
    return waits


async def measure_reads(place: Place, items: int, plan: Plan) -> dict[str, list[list[float]]]:
    """Return the milliseconds of each read, a list a round: the job, and items at random."""
    await fill(place, items)
    chance = random.Random(SEED)
    store = Store(driver_for(place.url))
    await store.open()
    waits: dict[str, list[list[float]]] = {"jobs.get": [], "items.get": []}
    try:
        for _ in plan.each_round():
            async with asyncio.timeout(STEP_SECONDS):
                waits["jobs.get"].append(await _waits(lambda: store.jobs.get(JOB_ID)))
                waits["items.get"].append(
                    await _waits(lambda: store.items.get(job_id=JOB_ID, seq=chance.randint(1, items)))
                )
    finally:
        await store.close()
    return waits


async def reads(report: Report, plan: Plan) -> None:
    targets = {"jobs.get": Target("≤", 10), "items.get": Target("≤", 5)}
    with postgres() as server, sqlite() as file:
        places: tuple[Place, ...] = (server, file)
        for place in places:
            waits = await measure_reads(place, max(ITEMS, plan.items), plan)
            for name, rounds in waits.items():
                of = f"{place.name}: {name}"
                report.add("reads", f"{of}, p50", "ms", [median(one) for one in rounds], targets[name])
                report.add("reads", f"{of}, p95", "ms", [quantiles(one, n=20)[-1] for one in rounds])
