"""What bounds a job or a job type is set while it runs, piece by piece, and is on record."""

import pytest

from batchanator.dispatch.claimer import Claimer
from batchanator.domain.errors import ConflictError, NotFoundError
from batchanator.domain.submission import JobOptions
from batchanator.store.limiting import limit_job, limit_job_type
from tests.contract.world import World


async def test_limits_are_set_one_by_one_and_are_on_record(world: World) -> None:
    job = await world.job(2)
    row = await limit_job(world.store, world.wakeups, job, {"priority": 3, "rate": 2.5}, actor="me")
    assert (row["priority"], row["rate"], row["max_concurrency"]) == (3, 2.5, None)
    row = await limit_job(world.store, world.wakeups, job, {"max_concurrency": 4}, actor="me")
    assert (row["priority"], row["rate"], row["max_concurrency"]) == (3, 2.5, 4)
    row = await limit_job(world.store, world.wakeups, job, {"rate": None}, actor="me")
    assert (row["rate"], row["max_concurrency"]) == (None, 4)
    row = await limit_job_type(world.store, world.wakeups, "mail", {"paused": True, "rate": 9}, actor="me")
    assert (row["paused_at"] is not None, row["rate"]) == (True, 9)
    row = await limit_job_type(world.store, world.wakeups, "mail", {"max_concurrency": 1}, actor="you")
    assert (row["paused_at"] is not None, row["rate"], row["max_concurrency"]) == (True, 9, 1)
    records = await world.store.actions.list(before=2**62, limit=10)
    assert [(one["action"], one["actor"], one["job_id"]) for one in records][:2] == [
        ("limit", "you", None),
        ("limit", "me", None),
    ]
    assert records[-1]["detail"] == '{"priority":3,"rate":2.5}'
    with pytest.raises(NotFoundError):
        await limit_job(world.store, world.wakeups, job + 1, {"rate": 1}, actor="me")
    with pytest.raises(NotFoundError):
        await limit_job_type(world.store, world.wakeups, "none", {"rate": 1}, actor="me")
    for wrong in ({"rate": 0}, {"rate": -1.0}, {"rate": float("inf")}, {"max_concurrency": 0}):
        with pytest.raises(ValueError, match=r"max_concurrency|rate"):
            await limit_job(world.store, world.wakeups, job, wrong, actor="me")
    await world.operations.cancel(job, actor="me")
    await world.duties.sweep()
    with pytest.raises(ConflictError):
        await limit_job(world.store, world.wakeups, job, {"rate": 1}, actor="me")


async def test_jobs_without_a_limit_are_claimed_to_the_end_of_the_shortlist(world: World) -> None:
    capped = await world.job(2, slice_size=1, options=JobOptions(priority=10, max_concurrency=1))
    jobs = [await world.job(1, options=JobOptions(priority=priority)) for priority in (9, 8, 7, 6, 5)]
    worker, other = await world.worker(), await world.worker()
    claimer = Claimer(world.store, list(world.types.values()))
    taken = [(await claimer.claim(worker, 1))[0].job_id for _ in range(2)]
    assert taken == [jobs[0], capped]
    assert [one.job_id for one in await world.claim(other, 3)] == jobs[1:4]
    assert [one.job_id for one in await claimer.claim(worker, 1)] == jobs[4:]
    assert await claimer.claim(worker, 1) == []
