"""Caps and rates hold over all workers, are changed while work runs, and reach every worker within a second.

Two runtimes on one database stand for two processes; what an operator does, is done in a third.
"""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from time import monotonic
from typing import Any

import pytest

from batchanator.app.runtime import Runtime
from batchanator.store.limiting import limit_job, limit_job_type
from batchanator.store.operations import Operations
from batchanator.store.wakeups import Wakeups
from tests.dispatch.running import Gate, counts, ended, gated, submit, until
from tests.support.checking import assert_verified

SLOW_POLL = 60
LATE = 1.6
"""Seconds: within one, and what a busy machine may add."""


async def limit_type(runtime: Runtime, **changes: Any) -> None:
    await limit_job_type(runtime.store, Wakeups(), "gate", changes, actor="me")


async def limit(runtime: Runtime, job: int, **changes: Any) -> Mapping[str, Any]:
    return await limit_job(runtime.store, Wakeups(), job, changes, actor="me")


def rate_of(times: list[float]) -> float:
    return (len(times) - 1) / (max(times) - min(times))


async def test_a_types_cap_holds_over_its_jobs_and_all_workers_and_can_be_raised(database_url: str) -> None:
    gate = Gate()
    gate.takes = 0.01
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(gated(database_url, gate))
        await stack.enter_async_context(gated(database_url, gate))
        await limit_type(one, max_concurrency=2)
        jobs = [await submit(one, 15, prefix=prefix, slice_size=3) for prefix in ("a", "b")]
        await gate.reaches(2)
        assert gate.started == 2
        await limit_type(one, max_concurrency=3)
        await gate.reaches(3)
        assert gate.started == 3
        gate.opened.set()
        for job in jobs:
            assert counts(await ended(one, job)) == (15, 0)
        assert gate.most == 3
        await assert_verified(one.store)


async def test_a_cap_that_is_lowered_gives_back_what_has_not_started(database_url: str) -> None:
    gate = Gate()
    gate.takes = 0.005
    async with gated(database_url, gate, max_concurrency_per_worker=4) as runtime:
        job = await submit(runtime, 30, slice_size=10)
        await gate.reaches(4)
        await limit(runtime, job, max_concurrency=1)
        worker = runtime.worker
        assert worker is not None
        held = worker.dispatcher.hand.slices
        await until(lambda: all(one.stopped for one in held.values()))
        gate.opened.set()
        await until(lambda: gate.running == 0)
        gate.most = 0
        assert counts(await ended(runtime, job)) == (30, 0)
        assert (gate.most, gate.started) == (1, 30)


@pytest.mark.parametrize("whose", ["job", "type"])
async def test_a_rate_holds_over_two_workers(database_url: str, whose: str) -> None:
    gate = Gate()
    gate.opened.set()
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(gated(database_url, gate))
        await stack.enter_async_context(gated(database_url, gate))
        if whose == "type":
            await limit_type(one, rate=50.0)
            jobs = [await submit(one, 75, prefix=prefix, slice_size=10) for prefix in ("a", "b")]
        else:
            await limit_type(one, paused=True)
            jobs = [await submit(one, 150, slice_size=10)]
            await limit(one, jobs[0], rate=50.0)
            await limit_type(one, paused=False)
        for job in jobs:
            await ended(one, job)
        assert len(gate.times) == 150
        assert 50 * 0.9 <= rate_of(gate.times) <= 50 * 1.05
        await assert_verified(one.store)


async def test_a_job_under_a_rate_keeps_no_other_waiting(database_url: str) -> None:
    gate = Gate()
    gate.opened.set()
    async with gated(database_url, gate, max_concurrency_per_worker=2) as runtime:
        await limit_type(runtime, paused=True)
        slow = await submit(runtime, 100, prefix="slow", priority=10)
        fast = await submit(runtime, 200, prefix="fast")
        await limit(runtime, slow, rate=0.5)
        await limit_type(runtime, paused=False)
        began = monotonic()
        assert counts(await ended(runtime, fast)) == (200, 0)
        assert monotonic() - began < 10
        row = await runtime.store.jobs.get(slow)
        assert row is not None
        assert row["ended_at"] is None
        await Operations(runtime.store, Wakeups()).cancel(slow, actor="me")
        await ended(runtime, slow)


async def test_a_rate_that_is_raised_holds_at_once(database_url: str) -> None:
    gate = Gate()
    gate.opened.set()
    async with gated(database_url, gate, polling_interval_seconds=SLOW_POLL) as runtime:
        await limit_type(runtime, rate=0.02)
        job = await submit(runtime, 20)
        await gate.reaches(1)
        await limit_type(runtime, rate=None)
        began = monotonic()
        await ended(runtime, job)
        assert monotonic() - began < LATE


async def test_a_pause_of_a_type_and_its_end_reach_a_worker_within_a_second(database_url: str) -> None:
    gate = Gate()
    gate.takes = 0.02
    gate.opened.set()
    async with gated(database_url, gate, polling_interval_seconds=SLOW_POLL) as runtime:
        job = await submit(runtime, 3000, slice_size=500)
        await gate.reaches(1)
        await limit_type(runtime, paused=True)
        paused = monotonic()
        assert runtime.worker is not None
        hand = runtime.worker.dispatcher.hand
        await until(lambda: not hand.slices)
        assert max(gate.times) - paused < LATE
        started = gate.started
        await limit_type(runtime, paused=False)
        resumed = monotonic()
        await gate.reaches(started + 1)
        assert gate.times[started] - resumed < LATE
        await Operations(runtime.store, Wakeups()).cancel(job, actor="me")
        await ended(runtime, job)
        await assert_verified(runtime.store)


async def test_the_next_slice_under_a_cap_starts_when_the_one_before_ends(database_url: str) -> None:
    gate = Gate()
    gate.takes = 0.01
    gate.opened.set()
    async with gated(database_url, gate, polling_interval_seconds=SLOW_POLL) as runtime:
        began = monotonic()
        job = await submit(runtime, 20, slice_size=2, max_concurrency=1)
        assert counts(await ended(runtime, job)) == (20, 0)
        assert monotonic() - began < 2 * LATE
        assert gate.most == 1
