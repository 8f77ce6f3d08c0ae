"""A file to rows: the product, keyed and checked, beside rows made beforehand in the same transactions."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from batchanator.app.parts import Parts
from benchmarks.figures import Report, Target, ratios
from benchmarks.places import Place, postgres, sqlite
from benchmarks.processes import ingest, running
from benchmarks.ready import NEW_JOB, NEW_TYPE, Portion, copy_ready, insert_ready, portions
from benchmarks.rounds import STEP_SECONDS, Cost, Meter, Plan
from benchmarks.work import gzipped, registry, write_lines, zstandarded

READY, NEW, AGAIN, GZ, ZST = "ready rows", "new lines", "all duplicates", "new lines, gz", "new lines, zst"
Load = Callable[[list[Portion]], Awaitable[None]]


async def measure_ingestion(place: Place, plan: Plan, load: Load) -> dict[str, list[Cost]]:
    """Return what each side cost, a round each, interleaved; every side begins with empty tables."""
    costs: dict[str, list[Cost]] = {side: [] for side in (READY, NEW, AGAIN, GZ, ZST)}
    with tempfile.TemporaryDirectory(prefix="batchanator-bench-") as name:
        folder = Path(name)
        plain = write_lines(folder / "lines.ndjson", plan.items)
        packed = {GZ: gzipped(plain), ZST: zstandarded(plain)}
        ready = portions(plain)
        for _ in plan.each_round():
            costs[READY].append(await _ready(place, ready, load))
            new, again = await _sent(place, folder, plan.items, plain, plain)
            costs[NEW].append(new)
            costs[AGAIN].append(again)
            for side, path in packed.items():
                costs[side] += await _sent(place, folder, plan.items, path)
    return costs


async def _ready(place: Place, ready: list[Portion], load: Load) -> Cost:
    await place.fresh()
    await place.run(NEW_TYPE.format(name="ready", false=place.false), NEW_JOB)
    meter = await Meter(place).start()
    async with asyncio.timeout(STEP_SECONDS):
        await load(ready)
    return await meter.stop()


async def _sent(place: Place, folder: Path, items: int, *paths: Path) -> list[Cost]:
    """Send files one after the other; the first is all new, the others all duplicates."""
    await place.fresh()
    costs: list[Cost] = []
    async with running(place, folder, registry(), Parts(dispatch=False)) as runtime:
        for path in paths:
            meter = await Meter(place).start()
            async with asyncio.timeout(STEP_SECONDS):
                job_id = await ingest(runtime, path)
            costs.append(await meter.stop())
            job = await runtime.store.jobs.get(job_id)
            assert job is not None
            if job["duplicates" if len(costs) > 1 else "accepted"] != items:
                raise AssertionError(f"lines went elsewhere: {dict(job)}")
    return costs


def report_ingestion(
    report: Report, bench: str, costs: dict[str, list[Cost]], items: int, *, least: float
) -> None:
    rates = {side: [items / cost.seconds for cost in of] for side, of in costs.items()}
    for side, samples in rates.items():
        report.add(bench, side, "lines/s", samples)
    report.add(bench, "new ÷ ready", "", ratios(rates[NEW], rates[READY]), Target("≥", least))
    report.add(bench, "duplicates ÷ new", "", ratios(rates[AGAIN], rates[NEW]), Target("≥", 1.0))
    report.add(bench, "gz ÷ plain", "", ratios(rates[GZ], rates[NEW]), Target("≥", 0.8))
    report.add(bench, "zst ÷ plain", "", ratios(rates[ZST], rates[NEW]), Target("≥", 0.8))
    for side, of in costs.items():
        report.add(bench, f"{side}: own CPU", "µs/line", [c.cpu / items * 1e6 for c in of])
        if any(c.server_cpu for c in of):
            report.add(bench, f"{side}: server CPU", "µs/line", [c.server_cpu / items * 1e6 for c in of])
            report.add(bench, f"{side}: WAL", "B/line", [c.wal / items for c in of])


async def ingest_postgres(report: Report, plan: Plan) -> None:
    with postgres() as place:
        costs = await measure_ingestion(place, plan, lambda ready: copy_ready(place.url, ready))
    report_ingestion(report, "ingest", costs, plan.items, least=0.5)


async def ingest_sqlite(report: Report, plan: Plan) -> None:
    with sqlite() as place:
        insert = insert_ready(place.path)
        costs = await measure_ingestion(place, plan, lambda ready: asyncio.to_thread(insert, ready))
    report_ingestion(report, "ingest-sqlite", costs, plan.items, least=0.6)
