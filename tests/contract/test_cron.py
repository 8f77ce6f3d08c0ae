"""Each time of a scheduled job is run once by all schedulers together, and what became of it is on record."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from structlog.testing import capture_logs

from batchanator.domain.cron import Expression
from batchanator.domain.errors import NotFoundError, OutcomeUnknownError
from batchanator.domain.schedule import OnMissed, Schedule
from batchanator.schedule.runs import STOPPED, CronJob
from batchanator.schedule.scheduler import OVERLAP, Scheduler
from batchanator.store.store import Repositories, Store
from batchanator.telemetry.metrics import Metrics
from tests.contract.world import DEADLINE, HOUR, World
from tests.postgres import PostgresServer
from tests.process.polling import until

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
Work = Callable[[], Awaitable[str]]
T = TypeVar("T")


async def nothing() -> str:
    return "did nothing"


def job(work: Work = nothing, *, name: str = "sweep", on_missed: OnMissed = "RunOnce") -> CronJob:
    return CronJob(Schedule(name, Expression("* * * * *"), UTC, "UTC", on_missed), work)


class Clockwork:
    """A scheduler of its own process, whose clock is set by hand."""

    def __init__(self, store: Store, worker: str) -> None:
        self.worker: str | None = worker
        self.metrics = Metrics()
        self.scheduler = Scheduler(store, [], worker=lambda: self.worker, observer=self.metrics)

    async def look(self, one: CronJob, minute: int) -> None:
        """Look at the job some minutes past noon, and let what it starts go on."""
        await self.scheduler.look(one, now=NOON + minute * MINUTE)

    async def run(self, one: CronJob, *minutes: int) -> None:
        for minute in minutes:
            await self.look(one, minute)
            await self.idle()

    async def idle(self) -> None:
        async with asyncio.timeout(DEADLINE):
            await self.scheduler.runs.idle()


async def clockwork(world: World, store: Store | None = None, *, lease: timedelta = HOUR) -> Clockwork:
    return Clockwork(store or world.store, await world.worker(lease))


async def runs(world: World, name: str = "sweep") -> list[tuple[int, str | None, str | None]]:
    """Return (minutes past noon, result, detail) in order of time."""
    rows = await world.store.cron_runs.list(name=name, limit=1000)
    return [((row["scheduled_at"] - NOON) // MINUTE, row["result"], row["detail"]) for row in reversed(rows)]


async def test_ten_schedulers_and_200_ticks_run_each_tick_once(world: World) -> None:
    ran: Counter[str] = Counter()
    many = [await clockwork(world, await world.another()) for _ in range(10)]
    now = 0

    def counting(worker: str) -> CronJob:
        async def work() -> str:
            ran[f"{worker} {now}"] += 1
            return "counted"

        return job(work)

    for now in range(201):
        await asyncio.gather(*(one.look(counting(str(one.worker)), now) for one in many))
        await asyncio.gather(*(one.idle() for one in many))
    assert await runs(world) == [(0, "skipped", "first seen")] + [
        (minute, "succeeded", "counted") for minute in range(1, 201)
    ]
    by_minute = Counter(int(key.split()[1]) for key, count in ran.items() for _ in range(count))
    assert by_minute == dict.fromkeys(range(1, 201), 1)
    assert len({key.split()[0] for key in ran}) > 1, "only one of them ever won: this was no race"


async def test_a_run_is_on_record_with_who_ran_it_and_how_long(world: World) -> None:
    one = await clockwork(world)
    with capture_logs() as logs:
        await one.run(job(), 0, 1)
    row = (await world.store.cron_runs.list(name="sweep", limit=1))[0]
    assert (row["worker"], row["host"], row["result"]) == (one.worker, "host", "succeeded")
    assert row["scheduled_at"] == NOON + MINUTE
    assert row["ended_at"] >= row["started_at"]
    assert [line["event"] for line in logs] == ["cron.skipped", "cron.started", "cron.finished"]


async def test_runs_are_counted_by_name_and_result(world: World) -> None:
    async def fails() -> str:
        raise NotFoundError("no such file")

    one = await clockwork(world)
    await one.run(job(), 0, 1, 2)
    await one.run(job(fails, name="broken"), 0, 1)
    counted = [
        (name, result, one.metrics.registry.get_sample_value("batchanator_cron_runs_total", labels))
        for name, result in (("sweep", "skipped"), ("sweep", "succeeded"), ("broken", "failed"))
        for labels in [{"name": name, "result": result}]
    ]
    assert counted == [("sweep", "skipped", 1), ("sweep", "succeeded", 2), ("broken", "failed", 1)]


async def test_a_job_that_fails_is_run_again_at_its_next_time_only_and_stops_no_other(world: World) -> None:
    async def fails() -> str:
        raise NotFoundError("no such file")

    async def breaks() -> str:
        raise RuntimeError("/a/secret/path")

    one = await clockwork(world)
    jobs = [job(fails, name="fails"), job(breaks, name="breaks"), job(name="works")]
    for minute in (0, 1, 1, 1, 2):
        for each in jobs:
            await one.run(each, minute)
    seen = (0, "skipped", "first seen")
    assert await runs(world, "fails") == [seen, (1, "failed", "no such file"), (2, "failed", "no such file")]
    assert await runs(world, "breaks") == [seen, (1, "failed", "RuntimeError"), (2, "failed", "RuntimeError")]
    assert await runs(world, "works") == [
        seen,
        (1, "succeeded", "did nothing"),
        (2, "succeeded", "did nothing"),
    ]


async def test_of_missed_times_the_latest_is_run_once_or_none(world: World) -> None:
    one = await clockwork(world)
    for each in (job(name="once"), job(name="skip", on_missed="Skip")):
        await one.run(each, 0, 1)
        await one.scheduler.look(each, now=NOON + 90 * MINUTE)
        await one.idle()
        await one.run(each, 90, 91)
    assert await runs(world, "once") == [
        (0, "skipped", "first seen"),
        (1, "succeeded", "did nothing"),
        (90, "succeeded", "did nothing"),
        (91, "succeeded", "did nothing"),
    ]
    late = job(name="late", on_missed="Skip")
    hourly = CronJob(Schedule("late", Expression("0 * * * *"), UTC, "UTC", "Skip"), late.run)
    await one.run(hourly, 0, 61 + 1)
    assert await runs(world, "late") == [(0, "skipped", "first seen"), (60, "skipped", "missed")]


async def test_a_time_that_comes_while_the_run_before_goes_on_is_skipped(world: World) -> None:
    gate = asyncio.Event()

    async def slow() -> str:
        await gate.wait()
        return "done"

    one, other = await clockwork(world), await clockwork(world, await world.another())
    with capture_logs() as logs:
        await one.run(job(slow), 0)
        await one.look(job(slow), 1)
        await one.look(job(slow), 2)
        await other.look(job(), 2)
        await other.look(job(), 3)
        gate.set()
        await one.idle()
        await other.run(job(), 4)
    assert await runs(world) == [
        (0, "skipped", "first seen"),
        (1, "succeeded", "done"),
        (2, "skipped", OVERLAP),
        (3, "skipped", OVERLAP),
        (4, "succeeded", "did nothing"),
    ]
    assert [line["reason"] for line in logs if line["event"] == "cron.skipped"][1:] == [OVERLAP, OVERLAP]


async def test_a_run_whose_worker_died_is_closed_as_lost_and_the_next_time_runs(world: World) -> None:
    gate = asyncio.Event()

    async def hangs() -> str:
        await gate.wait()
        return "late"

    dead, living = await clockwork(world), await clockwork(world)
    await dead.run(job(hangs), 0)
    await dead.look(job(hangs), 1)
    assert dead.worker is not None
    await world.die(dead.worker)
    with capture_logs() as logs:
        await living.run(job(), 2)
        gate.set()
        await dead.idle()
    assert await runs(world) == [
        (0, "skipped", "first seen"),
        (1, "lost", "its worker was lost"),
        (2, "succeeded", "did nothing"),
    ]
    assert [line["event"] for line in logs] == ["cron.lost", "cron.started", "cron.finished", "cron.finished"]
    assert logs[-1]["seconds"] is None, "a late end is told, and changes nothing"


async def test_a_worker_whose_lease_is_over_takes_nothing(world: World) -> None:
    dead, living = await clockwork(world), await clockwork(world)
    await living.run(job(), 0)
    assert dead.worker is not None
    await world.die(dead.worker)
    await dead.run(job(), 1)
    assert await runs(world) == [(0, "skipped", "first seen")]
    await living.run(job(), 1)
    assert await runs(world) == [(0, "skipped", "first seen"), (1, "succeeded", "did nothing")]


async def test_a_scheduler_that_lags_behind_runs_nothing_that_others_have_passed(world: World) -> None:
    one, lagging = await clockwork(world), await clockwork(world)
    await one.run(job(), 0, 5)
    await lagging.run(job(), 3, 4, 5)
    assert not await world.store.cron_runs.begin(
        name="sweep", scheduled_for=NOON + 4 * MINUTE, worker=str(lagging.worker)
    )
    assert not await world.store.cron_runs.skip(
        name="sweep", scheduled_for=NOON + 4 * MINUTE, worker=str(lagging.worker), detail="missed"
    )
    assert [minute for minute, _, _ in await runs(world)] == [0, 5]


async def test_nobody_but_its_worker_ends_a_run(world: World) -> None:
    worker, other = await world.worker(), await world.worker()
    cron_runs = world.store.cron_runs
    assert await cron_runs.begin(name="sweep", scheduled_for=NOON, worker=worker)
    for who, ends in ((other, False), (worker, True), (worker, False)):
        took = await cron_runs.finish(
            name="sweep", scheduled_for=NOON, worker=who, result="succeeded", detail="done"
        )
        assert (took is not None) == ends


async def test_a_stop_lets_runs_end_within_the_grace_and_records_those_that_do_not(world: World) -> None:
    gate = asyncio.Event()

    async def slow() -> str:
        await gate.wait()
        return "done"

    one = await clockwork(world)
    await one.run(job(slow), 0)
    await one.look(job(slow), 1)
    asyncio.get_running_loop().call_later(0.01, gate.set)
    await one.scheduler.stop(timedelta(seconds=DEADLINE))
    gate.clear()
    await one.look(job(slow), 2)
    await one.scheduler.stop(timedelta(0))
    assert await runs(world) == [
        (0, "skipped", "first seen"),
        (1, "succeeded", "done"),
        (2, "failed", STOPPED),
    ]


class Forgetful(Store):
    """A store whose connection breaks after the next COMMIT, before its answer."""

    breaks = False

    async def transact(self, work: Callable[[Repositories], Awaitable[T]]) -> T:
        done = await super().transact(work)
        if self.breaks:
            self.breaks = False
            raise OutcomeUnknownError("the connection was lost")
        return done


async def test_a_run_that_was_taken_without_an_answer_is_run_once_all_the_same(world: World) -> None:
    store = Forgetful(world.store.driver)
    one, other = await clockwork(world, store), await clockwork(world)
    await one.run(job(), 0)
    store.breaks = True
    with pytest.raises(OutcomeUnknownError):
        await one.look(job(), 1)
    await other.run(job(), 1)
    assert await runs(world) == [(0, "skipped", "first seen"), (1, None, None)]
    await one.run(job(), 1, 1, 2)
    assert await runs(world) == [
        (0, "skipped", "first seen"),
        (1, "succeeded", "did nothing"),
        (2, "succeeded", "did nothing"),
    ]


async def test_a_take_that_failed_without_an_answer_is_tried_again(world: World) -> None:
    store = Forgetful(world.store.driver)
    one = await clockwork(world, store)
    await one.run(job(), 0)
    store.breaks = True
    with pytest.raises(OutcomeUnknownError):
        await one.look(job(), 1)
    await world.fetch("DELETE FROM cron_runs WHERE ended_at IS NULL")  # it was rolled back after all
    await one.run(job(), 1)
    assert await runs(world) == [(0, "skipped", "first seen"), (1, "succeeded", "did nothing")]


async def test_a_run_of_another_is_not_taken_for_one_in_doubt(world: World) -> None:
    gate = asyncio.Event()

    async def slow() -> str:
        await gate.wait()
        return "the other's"

    store = Forgetful(world.store.driver)
    one, other = await clockwork(world, store), await clockwork(world)
    await one.run(job(), 0)
    store.breaks = True
    with pytest.raises(OutcomeUnknownError):
        await one.look(job(), 1)
    await world.fetch("DELETE FROM cron_runs WHERE ended_at IS NULL")  # it was rolled back after all
    await other.look(job(slow), 1)
    await one.run(job(), 1)
    gate.set()
    await other.idle()
    assert await runs(world) == [(0, "skipped", "first seen"), (1, "succeeded", "the other's")]


async def test_a_stop_does_not_wait_for_a_database_that_is_away(world: World) -> None:
    async def hangs() -> str:
        await asyncio.Event().wait()
        raise AssertionError

    store = await world.another()
    one = await clockwork(world, store)
    await one.run(job(hangs), 0)
    await one.look(job(hangs), 1)
    await store.close()
    async with asyncio.timeout(DEADLINE):
        await one.scheduler.stop(timedelta(0))
    assert await runs(world) == [(0, "skipped", "first seen"), (1, None, None)]


async def test_a_database_that_is_away_at_the_end_of_a_run_delays_its_record(
    postgres_url: str, postgres18: PostgresServer
) -> None:
    world = await World.begin(postgres_url)

    async def cut_off() -> str:
        await asyncio.to_thread(postgres18.stop, "immediate")
        return "did it"

    one = await clockwork(world)
    with capture_logs() as logs:
        await one.run(job(cut_off), 0)
        await one.look(job(cut_off), 1)
        told = lambda: any(line["event"] == "cron.not_recorded" for line in logs)  # noqa: E731
        await asyncio.to_thread(until, told, "the end could not be recorded")
        await asyncio.to_thread(postgres18.start)
        await one.idle()
    assert await runs(world) == [(0, "skipped", "first seen"), (1, "succeeded", "did it")]
    await world.end()


async def test_the_loop_runs_what_is_due_by_the_databases_clock(world: World) -> None:
    ran = asyncio.Event()

    async def work() -> str:
        ran.set()
        return "ran"

    worker = await world.worker()
    scheduler = Scheduler(world.store, [job(work)], worker=lambda: worker)
    _, now = await world.store.cron_runs.latest(name="sweep")
    minute = now.replace(second=0, microsecond=0)
    await world.store.cron_runs.skip(
        name="sweep", scheduled_for=minute - MINUTE, worker=worker, detail="before this test"
    )
    scheduler.start()
    async with asyncio.timeout(DEADLINE):
        await ran.wait()
        await scheduler.runs.idle()
    await scheduler.stop(timedelta(seconds=1))
    rows = await world.store.cron_runs.list(name="sweep", limit=10)
    assert rows[0]["scheduled_at"] in {minute, minute + MINUTE}
    assert rows[0]["result"] == "succeeded"


async def test_a_job_that_cannot_be_looked_at_holds_up_no_other(world: World) -> None:
    ran = asyncio.Event()

    async def work() -> str:
        ran.set()
        return "ran"

    class Broken(Expression):
        def latest(self, *_: object, **__: object) -> None:
            raise OverflowError

    broken = CronJob(Schedule("broken", Broken("* * * * *"), UTC, "UTC"), nothing)
    worker = await world.worker()
    scheduler = Scheduler(world.store, [broken, job(work)], worker=lambda: worker)
    _, now = await world.store.cron_runs.latest(name="sweep")
    await world.store.cron_runs.skip(
        name="sweep", scheduled_for=now - HOUR, worker=worker, detail="before this test"
    )
    with capture_logs() as logs:
        scheduler.start()
        async with asyncio.timeout(DEADLINE):
            await ran.wait()
        await scheduler.stop(timedelta(seconds=DEADLINE))
    assert "cron.broke" in [line["event"] for line in logs]


async def test_old_runs_go_but_for_the_last_of_each_name(world: World) -> None:
    one = await clockwork(world)
    for name in ("a", "b"):
        await one.run(job(name=name), 0, 1, 2)
    await world.fetch(
        "UPDATE cron_runs SET started_at = started_at + :age, ended_at = ended_at + :age", age=-2 * HOUR
    )
    await one.run(job(name="b"), 3)
    await world.store.cron_runs.prune(age=HOUR)
    assert [minute for minute, _, _ in await runs(world, "a")] == [2]
    assert [minute for minute, _, _ in await runs(world, "b")] == [3]
