"""Who comes first: priority, then the rank of a job's first ready slice, so that no job waits behind a big one."""

from batchanator.dispatch.claimer import Claimer
from batchanator.domain.submission import JobOptions
from batchanator.store.limited import claim_limited
from batchanator.store.records import Claimed
from batchanator.store.store import Repositories
from tests.contract.world import BAD, World


def jobs_of(taken: list[Claimed]) -> list[int]:
    return [one.job_id for one in taken]


async def test_a_small_job_behind_a_big_one_starts_at_once(world: World) -> None:
    big = await world.job(100, slice_size=1)
    worker = await world.worker()
    for _ in range(6):
        await world.settle(worker, await world.claim(worker, 10))
    small = await world.job(3, slice_size=1)
    assert jobs_of(await world.claim(worker, 4)).count(small) >= 2
    assert big != small


async def test_big_jobs_share_round_robin(world: World) -> None:
    one = await world.job(20, slice_size=1)
    other = await world.job(20, slice_size=1)
    worker = await world.worker()
    for _ in range(4):
        taken = jobs_of(await world.claim(worker, 6))
        assert taken.count(one) == taken.count(other) == 3


async def test_a_higher_priority_comes_before_every_rank(world: World) -> None:
    low = await world.job(5, slice_size=1)
    high = await world.job(5, slice_size=1, options=JobOptions(priority=7))
    worker = await world.worker()
    assert jobs_of(await world.claim(worker, 4)) == [high] * 4
    assert jobs_of(await world.claim(worker, 4)) == [high, low, low, low]


async def test_a_jobs_slices_come_in_input_order(world: World) -> None:
    await world.job(30, slice_size=3, chunk=10)
    worker = await world.worker()
    seen = [one.first_seq for _ in range(4) for one in await world.claim(worker, 3)]
    assert seen == sorted(seen)
    assert len(seen) == 12


async def test_a_job_behind_paused_ones_is_claimed(world: World) -> None:
    for _ in range(5):
        await world.operations.pause(await world.job(30, slice_size=1), actor="me")
    behind = await world.job(2, slice_size=1)
    assert jobs_of(await world.claim(await world.worker(), 1)) == [behind]


async def test_a_job_behind_others_with_nothing_ready_is_claimed(world: World) -> None:
    """Jobs whose slices are all leased or waiting are no heads, and take no place among them."""
    worker = await world.worker()
    for _ in range(5):
        await world.job(1)
        await world.claim_one(worker)
    behind = await world.job(1)
    assert jobs_of(await world.claim(worker, 1)) == [behind]


async def test_a_job_behind_others_that_wait_for_retries_is_claimed(world: World) -> None:
    worker = await world.worker()
    waiting = [await world.job(1) for _ in range(5)]
    for claimed in await world.claim(worker, 5):
        await world.settle(worker, claimed, {1: BAD})
    behind = await world.job(1)
    assert jobs_of(await world.claim(worker, 1)) == [behind]
    assert len(waiting) == 5


async def test_a_resumed_job_goes_on_at_the_head_and_not_before_everybody(world: World) -> None:
    sleeper = await world.job(40, slice_size=1)
    await world.operations.pause(sleeper, actor="me")
    busy = await world.job(40, slice_size=1)
    worker = await world.worker()
    await world.settle(worker, await world.claim(worker, 20))
    await world.operations.resume(sleeper, actor="me")
    taken = jobs_of(await world.claim(worker, 10))
    assert taken.count(sleeper) == taken.count(busy) == 5


# -- max_concurrency -----------------------------------------------------------------------------------------------


async def claim_capped(world: World, worker: str, limit: int) -> list[Claimed]:
    types = list(world.types.values())

    async def work(tx: Repositories) -> list[Claimed]:
        return await claim_limited(tx, worker=worker, types=types, limit=limit)

    return await world.store.transact(work)


async def test_no_more_slices_of_a_capped_job_are_leased_than_its_cap(world: World) -> None:
    job = await world.job(6, slice_size=1, options=JobOptions(max_concurrency=2))
    worker, other = await world.worker(), await world.worker()
    assert await world.claim(worker) == [], "only the claim that counts takes them"
    first, second = await claim_capped(world, worker, 20)
    assert await claim_capped(world, other, 20) == []
    await world.settle(worker, first)
    (third,) = await claim_capped(world, other, 20)
    assert [one.first_seq for one in (first, second, third)] == [1, 2, 3]
    assert await world.counts(job) == {"succeeded": 1, "processing": 2, "pending": 3}


async def test_full_jobs_do_not_stand_before_others_with_room(world: World) -> None:
    """Room is counted before any LIMIT: jobs that are full take no place in a claim."""
    full = [await world.job(2, slice_size=1, options=JobOptions(max_concurrency=1)) for _ in range(4)]
    worker = await world.worker()
    while await claim_capped(world, worker, 20):
        continue
    behind = await world.job(2, slice_size=1, options=JobOptions(max_concurrency=1))
    claimer = Claimer(world.store, list(world.types.values()))
    assert jobs_of(await claimer.claim(worker, 1)) == [behind]
    assert len(full) == 4


async def test_capped_jobs_come_in_order_of_priority_too(world: World) -> None:
    for _ in range(4):
        await world.job(2, slice_size=1, options=JobOptions(max_concurrency=1))
    urgent = await world.job(2, slice_size=1, options=JobOptions(max_concurrency=1, priority=5))
    claimer = Claimer(world.store, list(world.types.values()))
    assert jobs_of(await claimer.claim(await world.worker(), 1)) == [urgent]


async def test_a_capped_job_does_not_come_before_another_of_higher_priority(world: World) -> None:
    await world.job(9, slice_size=1, options=JobOptions(max_concurrency=9))
    urgent = await world.job(9, slice_size=1, options=JobOptions(priority=5))
    claimer, worker = Claimer(world.store, list(world.types.values())), await world.worker()
    assert [jobs_of(await claimer.claim(worker, 1)) for _ in range(4)] == [[urgent]] * 4


# -- the shortlist -------------------------------------------------------------------------------------------------


async def crowd(world: World, count: int, job_type: str) -> list[int]:
    """Return many jobs of one ready slice each, made without their lines' sake."""
    await world.job_type(job_type)
    return [await world.job(1, job_type=job_type) for _ in range(count)]


async def test_among_many_jobs_each_is_claimed_once(world: World) -> None:
    jobs = await crowd(world, 60, "mail")
    claimer, worker = Claimer(world.store, list(world.types.values())), await world.worker()
    taken: list[int] = []
    while part := await claimer.claim(worker, 7):
        taken += jobs_of(part)
    assert sorted(taken) == jobs


async def test_many_jobs_of_a_paused_type_do_not_hide_one_that_may_run(world: World) -> None:
    """A paused type is asked before any LIMIT, also where jobs are so many that a shortlist is read."""
    await crowd(world, 60, "quiet")
    await world.fetch("UPDATE job_types SET paused_at = clock_timestamp() WHERE name = 'quiet' RETURNING id")
    behind = await world.job(8, slice_size=1, job_type="mail")
    claimer, worker = Claimer(world.store, list(world.types.values())), await world.worker()
    taken = [jobs_of(await claimer.claim(worker, 2)) for _ in range(4)]
    assert taken == [[behind, behind]] * 4
