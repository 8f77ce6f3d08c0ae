"""What a worker has claimed of a job that stops, and has not started, does not start after its next heartbeat."""

from batchanator.app.runtime import Runtime
from batchanator.dispatch.held import HeldSlice
from batchanator.store.operations import Operations
from batchanator.store.wakeups import Wakeups
from tests.dispatch.running import Gate, counts, ended, gated, submit, until
from tests.support.checking import assert_verified


def elsewhere(runtime: Runtime) -> Operations:
    """Return operations of another process: nobody here is woken by them."""
    return Operations(runtime.store, Wakeups())


def held(runtime: Runtime) -> list[HeldSlice]:
    assert runtime.worker is not None
    return list(runtime.worker.dispatcher.hand.slices.values())


def all_stopped(runtime: Runtime) -> bool:
    return all(one.stopped for one in held(runtime))


async def test_what_has_not_started_of_a_cancelled_job_is_given_back(database_url: str) -> None:
    gate = Gate()
    async with gated(database_url, gate, max_concurrency_per_worker=2, heartbeat_seconds=0.2) as runtime:
        job = await submit(runtime, 10, slice_size=5)
        await gate.reaches(2)
        await elsewhere(runtime).cancel(job, actor="me")
        await until(lambda: all_stopped(runtime))
        gate.opened.set()
        row = await ended(runtime, job)
        assert (row["status"], counts(row)) == ("cancelled", (2, 8))
        assert gate.started == 2
        await assert_verified(runtime.store)


async def test_so_it_is_of_a_job_that_runs_one_by_one(database_url: str) -> None:
    gate = Gate()
    async with gated(database_url, gate, heartbeat_seconds=0.2) as runtime:
        job = await submit(runtime, 6, max_concurrency=1, slice_size=6)
        await gate.reaches(1)
        await elsewhere(runtime).cancel(job, actor="me")
        await until(lambda: all_stopped(runtime))
        gate.opened.set()
        assert counts(await ended(runtime, job)) == (1, 5)
        assert gate.started == 1
        await assert_verified(runtime.store)


async def test_what_has_not_started_of_a_paused_job_is_given_back_until_it_is_resumed(
    database_url: str,
) -> None:
    gate = Gate()
    async with gated(database_url, gate, max_concurrency_per_worker=2, heartbeat_seconds=0.2) as runtime:
        job = await submit(runtime, 5)
        await gate.reaches(2)
        await elsewhere(runtime).pause(job, actor="me")
        await until(lambda: all_stopped(runtime))
        gate.opened.set()
        await until(lambda: not held(runtime))
        assert gate.started == 2
        await elsewhere(runtime).resume(job, actor="me")
        assert counts(await ended(runtime, job)) == (5, 0)
        assert gate.started == 5


async def test_other_jobs_go_on(database_url: str) -> None:
    gate = Gate()
    async with gated(database_url, gate, max_concurrency_per_worker=2, heartbeat_seconds=0.2) as runtime:
        stopped = await submit(runtime, 6, prefix="a")
        await gate.reaches(2)
        other = await submit(runtime, 6, prefix="b")
        await elsewhere(runtime).cancel(stopped, actor="me")
        gate.opened.set()
        assert counts(await ended(runtime, other)) == (6, 0)
        await ended(runtime, stopped)
