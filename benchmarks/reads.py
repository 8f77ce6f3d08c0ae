"""What the API's reads cost with two million items, as their statements.

`GET /jobs/{id}`, an item's status, what became of a line that is no item, and who holds a key.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from statistics import median, quantiles
from time import perf_counter

from batchanator.store.store import Store, driver_for
from benchmarks.deep import DUPLICATES, JOB_ID, fill
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
        assert await read()
        waits.append((perf_counter() - begun) * 1000)
    return waits


async def measure_reads(place: Place, items: int, plan: Plan) -> dict[str, list[list[float]]]:
    """Return the milliseconds of each read, a list a round: the job, and items, lines and keys at random."""
    await fill(place, items)
    chance = random.Random(SEED)
    store = Store(driver_for(place.url))
    await store.open()
    reads: dict[str, Callable[[], Awaitable[object]]] = {
        "jobs.get": lambda: store.jobs.get(JOB_ID),
        "items.get": lambda: store.items.get(job_id=JOB_ID, seq=chance.randint(1, items)),
        "jobs.line": lambda: store.jobs.line(
            job_id=JOB_ID, line=items + chance.randint(1, min(DUPLICATES, items))
        ),
        "keys.holders": lambda: store.keys.holders(1, [f"key-{chance.randint(1, items)}"]),
    }
    waits: dict[str, list[list[float]]] = {name: [] for name in reads}
    try:
        for _ in plan.each_round():
            async with asyncio.timeout(STEP_SECONDS):
                for name, read in reads.items():
                    waits[name].append(await _waits(read))
    finally:
        await store.close()
    return waits


async def reads(report: Report, plan: Plan) -> None:
    with postgres() as server, sqlite() as file:
        places: tuple[Place, ...] = (server, file)
        for place in places:
            waits = await measure_reads(place, max(ITEMS, plan.items), plan)
            for name, rounds in waits.items():
                of = f"{place.name}: {name}"
                target = Target("≤", 10 if name == "jobs.get" else 5)
                report.add("reads", f"{of}, p50", "ms", [median(one) for one in rounds], target)
                report.add("reads", f"{of}, p95", "ms", [quantiles(one, n=20)[-1] for one in rounds])
