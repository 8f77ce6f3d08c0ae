"""The worker with metrics and its log at info, beside the worker with neither, scraped as Prometheus would."""

import asyncio
import logging
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path

import structlog

from batchanator.app.measuring import Measuring
from batchanator.domain.observing import NOBODY, Observer
from batchanator.logs import configure_logging
from batchanator.telemetry.metrics import Metrics
from benchmarks.drain import drain_started
from benchmarks.figures import Report, Target, ratios
from benchmarks.places import Place, postgres
from benchmarks.processes import running
from benchmarks.rounds import STEP_SECONDS, Cost, Plan
from benchmarks.undrained import load, restore, verify_drained
from benchmarks.work import registry

OFF, ON = "metrics and log off", "metrics and log on"
SCRAPE_SECONDS = 1.0


@contextmanager
def _logging(*, on: bool) -> Iterator[None]:
    """Write the log, from info on, to a file on the disk; off, nothing is made of an event."""
    structlog.reset_defaults()
    with tempfile.TemporaryFile("w") as file, redirect_stderr(file if on else sys.stderr):
        if on:
            configure_logging("json", "info")
            structlog.configure(cache_logger_on_first_use=False)  # else the other side would log on
        else:
            structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
        yield
    structlog.reset_defaults()
    configure_logging("console", "warning")


async def _drain(place: Place, folder: Path, *, on: bool) -> Cost:
    metrics = Metrics()
    observer: Observer = metrics if on else NOBODY
    async with running(place, folder, registry(), observer=observer) as runtime:
        assert runtime.worker is not None
        measuring = Measuring(metrics, runtime, runtime.store, runtime.worker.executor)
        scraping = asyncio.create_task(_scrape(measuring)) if on else None
        cost = await drain_started(place, runtime)
        if scraping is not None:
            scraping.cancel()
            await asyncio.wait([scraping])
        return cost


async def _scrape(measuring: Measuring) -> None:
    while True:
        await measuring.text()
        await asyncio.sleep(SCRAPE_SECONDS)


async def observed(report: Report, plan: Plan) -> None:
    costs: dict[bool, list[Cost]] = {False: [], True: []}
    with postgres() as place, tempfile.TemporaryDirectory(prefix="batchanator-bench-") as folder:
        await load(place, plan.items)
        for number in plan.each_round():
            for on in (False, True) if number % 2 == 0 else (True, False):
                await restore(place)
                with _logging(on=on):
                    async with asyncio.timeout(STEP_SECONDS):
                        costs[on].append(await _drain(place, Path(folder), on=on))
                await verify_drained(place, plan.items)
    rates = {on: [plan.items / cost.seconds for cost in of] for on, of in costs.items()}
    report.add("observed", OFF, "items/s", rates[False])
    report.add("observed", ON, "items/s", rates[True])
    report.add("observed", "on ÷ off", "", ratios(rates[True], rates[False]), Target("≥", 0.95))
    cpu = {on: [cost.cpu for cost in of] for on, of in costs.items()}
    report.add("observed", "off ÷ on, by worker CPU", "", ratios(cpu[False], cpu[True]))
