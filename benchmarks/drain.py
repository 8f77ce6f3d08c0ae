"""Claim to settle: the worker with handlers that do nothing, beside the protocol alone."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from batchanator.app.parts import Parts
from batchanator.app.runtime import Runtime
from benchmarks.figures import Report, Target, ratios
from benchmarks.places import Place, postgres, sqlite
from benchmarks.processes import running
from benchmarks.protocol import drain_protocol
from benchmarks.rounds import STEP_SECONDS, Cost, Meter, Plan
from benchmarks.undrained import load, release, restore, verify_drained
from benchmarks.work import each, registry, whole

PROTOCOL, ASYNC, SLICE = "protocol alone", "async handler", "slice handler"


async def measure_drain(place: Place, plan: Plan) -> dict[str, list[Cost]]:
    """Return what each side cost, a round each, interleaved."""
    await load(place, plan.items)
    sides: dict[str, Callable[[Place, Path], Awaitable[Cost]]] = {
        PROTOCOL: _protocol,
        ASYNC: _async,
        SLICE: _slice,
    }
    costs: dict[str, list[Cost]] = {side: [] for side in sides}
    with tempfile.TemporaryDirectory(prefix="batchanator-bench-") as folder:
        for _ in plan.each_round():
            for side, drain in sides.items():
                await restore(place)
                async with asyncio.timeout(STEP_SECONDS):
                    costs[side].append(await drain(place, Path(folder)))
                await verify_drained(place, plan.items)
    return costs


async def _protocol(place: Place, folder: Path) -> Cost:
    async with running(place, folder, registry(each), Parts(dispatch=False)) as runtime:
        await release(place)
        meter = await Meter(place).start()
        await drain_protocol(runtime)
        return await meter.stop()


async def _async(place: Place, folder: Path) -> Cost:
    async with running(place, folder, registry(each)) as runtime:
        return await drain_started(place, runtime)


async def _slice(place: Place, folder: Path) -> Cost:
    async with running(place, folder, registry(whole)) as runtime:
        return await drain_started(place, runtime)


async def drain_started(place: Place, runtime: Runtime) -> Cost:
    """Wake a started worker that found the job paused, and wait for the job's end."""
    ended = runtime.wakeups.ended
    ended.clear()
    await asyncio.sleep(0.1)  # its first claim finds nothing
    await release(place)
    meter = await Meter(place).start()
    runtime.wakeups.ready.set()
    await ended.wait()
    return await meter.stop()


def report_drain(report: Report, bench: str, costs: dict[str, list[Cost]], items: int) -> None:
    rates = {side: [items / cost.seconds for cost in of] for side, of in costs.items()}
    for side, samples in rates.items():
        report.add(bench, side, "items/s", samples)
    report.add(bench, "async ÷ protocol", "", ratios(rates[ASYNC], rates[PROTOCOL]), Target("≥", 0.5))


def report_costs(report: Report, bench: str, costs: dict[str, list[Cost]], items: int) -> None:
    for side, of in costs.items():
        targets = (Target("≤", 9.0), Target("≤", 3.5), Target("≤", 40.0)) if side == ASYNC else (None,) * 3
        cpu, server, wal = targets
        report.add(bench, f"{side}: worker CPU", "µs/item", [c.cpu / items * 1e6 for c in of], cpu)
        if any(c.server_cpu for c in of):
            report.add(
                bench, f"{side}: server CPU", "µs/item", [c.server_cpu / items * 1e6 for c in of], server
            )
            report.add(bench, f"{side}: WAL", "B/item", [c.wal / items for c in of], wal)


async def drain(report: Report, plan: Plan) -> None:
    with postgres() as place:
        costs = await measure_drain(place, plan)
    report_drain(report, "drain", costs, plan.items)
    slice_rates = [1 / cost.seconds for cost in costs[SLICE]]
    async_rates = [1 / cost.seconds for cost in costs[ASYNC]]
    report.add("drain", "slice ÷ async", "", ratios(slice_rates, async_rates), Target("≥", 1.1))
    cpu = ratios([cost.cpu for cost in costs[ASYNC]], [cost.cpu for cost in costs[SLICE]])
    report.add("drain", "slice ÷ async, by worker CPU", "", cpu)
    report_costs(report, "drain", costs, plan.items)


async def drain_sqlite(report: Report, plan: Plan) -> None:
    with sqlite() as place:
        costs = await measure_drain(place, plan)
    report_drain(report, "drain-sqlite", costs, plan.items)
    for side, of in costs.items():
        report.add("drain-sqlite", f"{side}: CPU", "µs/item", [c.cpu / plan.items * 1e6 for c in of])
