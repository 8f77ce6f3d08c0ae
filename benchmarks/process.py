"""Handlers in another process on this machine, beside the same handlers in this one and beside aiohttp alone."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import ClientSession, TCPConnector

from batchanator.app.parts import SCHEDULER, Parts
from batchanator.dispatch.executors.messages import ProcessRequest, encode
from benchmarks.drain import drain_started
from benchmarks.elsewhere import Elsewhere, elsewhere
from benchmarks.figures import Report, Target, ratios
from benchmarks.places import Place, postgres
from benchmarks.processes import running
from benchmarks.rounds import STEP_SECONDS, Cost, Meter, Plan
from benchmarks.undrained import load, restore, verify_drained
from benchmarks.work import JOB_TYPE, line, registry

HERE, SLICES, ITEMS, BARE = "in process", "/process/batch", "/process", "aiohttp pair"
CONCURRENCY = 10


async def _product(place: Place, folder: Path, parts: Parts | None, **settings: Any) -> Cost:
    async with running(place, folder, registry(), parts, **settings) as runtime:
        return await drain_started(place, runtime)


async def _bare(place: Place, items: int, address: str) -> Cost:
    """Send the requests that the product would send, with as many under way, and read the answers."""
    requests: Iterator[int] = iter(range(1, items + 1))
    async with ClientSession(connector=TCPConnector(limit=CONCURRENCY)) as session:

        async def send() -> None:
            for seq in requests:
                payload = msgspec.Raw(line(seq).strip())
                body = encode(ProcessRequest(JOB_TYPE, f"customer-{seq:08d}", 1, seq, 1, 1, payload))
                headers = {"Content-Type": "application/json"}
                async with session.post(f"{address}/process", data=body, headers=headers) as answer:
                    msgspec.json.decode(await answer.read())

        meter = await Meter(place).start()
        async with asyncio.TaskGroup() as group:
            for _ in range(CONCURRENCY):
                group.create_task(send())
        return await meter.stop()


async def _sides(
    place: Place, plan: Plan, folder: Path, api: Elsewhere, bare: Elsewhere
) -> dict[str, list[Cost]]:
    """Return what each side cost, a round each, interleaved; `cpu` with that of the process elsewhere."""
    costs: dict[str, list[Cost]] = {side: [] for side in (HERE, SLICES, ITEMS, BARE)}
    for _ in plan.each_round():
        for side, of in costs.items():
            if side in {SLICES, ITEMS}:
                requests = "slice" if side == SLICES else "item"
                work = _product(place, folder, SCHEDULER, api_base_url=api.url, api_requests=requests)
            else:
                work = _product(place, folder, None) if side == HERE else _bare(place, plan.items, bare.url)
            if side != BARE:
                await restore(place)
            before = api.cpu() + bare.cpu()
            async with asyncio.timeout(STEP_SECONDS):
                cost = await work
            cost.cpu += api.cpu() + bare.cpu() - before
            of.append(cost)
            if side != BARE:
                await verify_drained(place, plan.items)
    return costs


async def process(report: Report, plan: Plan) -> None:
    with postgres() as place, tempfile.TemporaryDirectory(prefix="batchanator-bench-") as folder:
        await load(place, plan.items)
        async with elsewhere("api") as api, elsewhere("bare") as bare:
            costs = await _sides(place, plan, Path(folder), api, bare)
    rates = {side: [plan.items / cost.seconds for cost in of] for side, of in costs.items()}
    for side, samples in rates.items():
        report.add("process", side, "items/s", samples)
    report.add(
        "process", "/process/batch ÷ in process", "", ratios(rates[SLICES], rates[HERE]), Target("≥", 0.25)
    )
    report.add("process", "/process ÷ aiohttp pair", "", ratios(rates[ITEMS], rates[BARE]), Target("≥", 0.6))
    for side, of in costs.items():
        all_cpu = [(cost.cpu + cost.server_cpu) / plan.items * 1e6 for cost in of]
        report.add("process", f"{side}: CPU", "µs/item", all_cpu)
    cpu = ratios([c.cpu + c.server_cpu for c in costs[BARE]], [c.cpu + c.server_cpu for c in costs[ITEMS]])
    report.add("process", "aiohttp pair ÷ /process, by CPU", "", cpu)
