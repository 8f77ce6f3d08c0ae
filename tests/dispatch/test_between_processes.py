"""What one process makes, another finds at once on PostgreSQL; where no word comes through, the poll finds it.

Two runtimes on one database stand for two processes.
"""

import asyncio
from contextlib import AsyncExitStack
from time import monotonic

import pytest

from batchanator.app.parts import Parts
from batchanator.app.runtime import Runtime
from batchanator.store.operations import Operations
from batchanator.store.store import Store, driver_for
from tests.contract.world import statement
from tests.dispatch.running import DEADLINE, Gate, counts, ended, gated, submit, until

SLOW_POLL = 600
SOON = 0.6
"""Seconds; it takes about 50 ms on a calm machine."""
READER = Parts(dispatch=False)


async def heard(runtime: Runtime) -> None:
    assert runtime.relay is not None
    async with asyncio.timeout(DEADLINE):
        await runtime.relay.connected.wait()


async def end_listeners(url: str) -> None:
    store = Store(driver_for(url, connections=1))
    await store.open()
    await store.driver.fetch(
        statement(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query SIMILAR TO '(LISTEN|SELECT pg_notify)%'"
        )
    )
    await store.close()


async def test_what_one_process_takes_in_another_starts_at_once(postgres_url: str) -> None:
    gate = Gate()
    url = postgres_url
    async with AsyncExitStack() as stack:
        reader = await stack.enter_async_context(gated(url, gate, parts=READER))
        worker = await stack.enter_async_context(gated(url, gate, polling_interval_seconds=SLOW_POLL))
        await heard(reader)
        await heard(worker)
        began = monotonic()
        job = await submit(reader, 3)
        await gate.reaches(1)
        assert gate.times[0] - began < SOON
        assert reader.relay is not None
        began = monotonic()
        await Operations(reader.store, reader.wakeups).cancel(job, actor="me")
        hand = worker.worker.dispatcher.hand if worker.worker is not None else None
        assert hand is not None
        await until(lambda: all(held.stopped for held in hand.slices.values()))
        assert monotonic() - began < SOON
        gate.opened.set()
        await ended(worker, job)


async def test_a_connection_that_ends_is_opened_again(postgres_url: str) -> None:
    gate = Gate()
    gate.opened.set()
    url = postgres_url
    async with AsyncExitStack() as stack:
        reader = await stack.enter_async_context(gated(url, gate, parts=READER))
        worker = await stack.enter_async_context(gated(url, gate, polling_interval_seconds=SLOW_POLL))
        await heard(reader)
        await heard(worker)
        await end_listeners(url)
        await until(lambda: worker.relay is not None and not worker.relay.connected.is_set())
        job = await submit(reader, 3)
        assert counts(await ended(reader, job)) == (3, 0), "whoever listens again looks at everything"


@pytest.mark.parametrize("rounds", [20])
async def test_a_busy_process_tells_at_most_once_in_50_ms(postgres_url: str, rounds: int) -> None:
    gate = Gate()
    words: list[float] = []
    async with gated(postgres_url, gate, parts=READER) as reader:
        await heard(reader)
        listener = await reader.store.driver.listen("batchanator", lambda _word: words.append(monotonic()))
        assert listener is not None
        began = monotonic()
        for _ in range(rounds):
            reader.wakeups.tell("ready")
            await asyncio.sleep(0.005)
        await until(lambda: not reader.wakeups.untold)
        assert 1 <= len(words) <= (monotonic() - began) / 0.05 + 2
        await listener.close()
