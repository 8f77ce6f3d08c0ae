"""What a dead worker held is claimable again, with the lapse on record; what lives is never taken from it."""

import asyncio
from datetime import datetime, timedelta

from batchanator.store.records import SliceKey
from tests.contract.world import BAD, DEADLINE, LATER, READY, WAITING, World


async def test_a_lapse_frees_the_slice_under_a_higher_fence_and_is_on_record(world: World) -> None:
    job = await world.job(3)
    dead = await world.worker()
    claimed = await world.claim_one(dead)
    await world.die(dead)
    assert await world.duties.recover() == 1
    row = await world.slice(job)
    assert (row["state"], row["worker"], row["claimed_at"], row["lapses"]) == (READY, None, None, 1)
    assert row["fence"] > claimed.fence
    (lapse,) = await world.lapses(job)
    assert (lapse["first_seq"], lapse["last_seq"], lapse["fence"]) == (1, 3, claimed.fence)
    assert (lapse["worker"], lapse["kind"], lapse["running_seq"]) == (dead, "lapsed", None)
    assert lapse["claimed_at"] <= lapse["lapsed_at"]
    assert lapse["charged"]
    assert await world.counts(job) == {"pending": 3}, "a lapse is no attempt"


async def test_a_lapse_names_the_item_that_ran(world: World) -> None:
    job = await world.job(3)
    dead = await world.worker()
    claimed = await world.claim_one(dead)
    await world.store.slices.mark_running(worker=dead, key=SliceKey(job, 1, claimed.fence), seq=2)
    await world.die(dead)
    await world.duties.recover()
    (lapse,) = await world.lapses(job)
    assert lapse["running_seq"] == 2
    assert (await world.slice(job))["running_seq"] is None


async def test_a_living_workers_slices_are_never_taken(world: World) -> None:
    job = await world.job(3, slice_size=1)
    living, dead = await world.worker(), await world.worker()
    (kept,) = await world.claim(living, 1)
    await world.claim(dead, 1)
    await world.die(dead)
    assert await world.duties.recover() == 1
    assert (await world.slice(job))["worker"] == living
    assert len(await world.settle(living, kept)) == 1


async def test_a_claim_of_this_very_moment_is_not_recovered(world: World) -> None:
    """Claim and recover in the same tick: the clock is the database's, and the comparison strict."""
    await world.job(20, slice_size=1)
    worker = await world.worker()
    for _ in range(20):
        await world.claim(worker, 1)
        assert await world.duties.recover() == 0


async def test_what_was_settled_before_is_not_recovered(world: World) -> None:
    job = await world.job(2, slice_size=1)
    worker = await world.worker()
    first, second = await world.claim(worker)
    await world.settle(worker, first)
    await world.settle(worker, second, {2: LATER})
    await world.die(worker)
    assert await world.duties.recover() == 0
    assert await world.lapses(job) == []
    assert (await world.slice(job, 2))["state"] == WAITING


async def test_a_lease_ends_by_the_databases_clock_alone(world: World) -> None:
    job = await world.job(1)
    brief = await world.worker(timedelta(seconds=1.5))
    claimed = await world.claim_one(brief)
    assert await world.duties.recover() == 0
    async with asyncio.timeout(DEADLINE):
        while not await world.duties.recover():
            assert (await world.slice(job))["fence"] == claimed.fence
    assert not await world.store.workers.beat(worker=brief, lease=timedelta(hours=1))


async def test_a_worker_that_reports_before_it_is_recovered_did_not_crash(world: World) -> None:
    job = await world.job(1)
    brief = await world.worker(timedelta(seconds=30))
    await world.claim_one(brief)
    async with asyncio.timeout(DEADLINE):
        while await world.store.workers.beat(worker=brief, lease=timedelta(milliseconds=1)):
            continue
    await world.store.workers.see(worker=brief)
    await world.duties.recover()
    lapses = await world.store.lines.lapses(job_id=job, after_seq=0, after_fence=0, limit=9)
    assert [bool(lapse["charged"]) for lapse in lapses] == [False] * len(lapses)
    (again,) = await world.claim(await world.worker(), 1)
    assert not again.suspect


async def test_a_heartbeat_keeps_what_is_held(world: World) -> None:
    await world.job(1)
    worker = await world.worker(timedelta(seconds=30))
    await world.claim_one(worker)
    before = await lease_until(world, worker)
    assert await world.store.workers.beat(worker=worker, lease=timedelta(hours=1))
    assert await lease_until(world, worker) > before
    assert await world.duties.recover() == 0


async def lease_until(world: World, worker: str) -> datetime:
    rows = await world.store.workers.list()
    until: datetime = next(row["lease_until"] for row in rows if row["incarnation"] == worker)
    return until


async def test_a_worker_known_to_be_dead_is_recovered_before_its_lease_ends(world: World) -> None:
    job = await world.job(2, slice_size=1)
    killed, living = await world.worker(), await world.worker()
    await world.claim(killed, 1)
    await world.claim(living, 1)
    assert await world.duties.recover([killed]) == 1
    assert [row["worker"] for row in await world.slices(job)] == [None, living]


async def test_recovering_twice_records_a_lapse_once(world: World) -> None:
    job = await world.job(1)
    dead = await world.worker()
    await world.claim_one(dead)
    await world.die(dead)
    assert [await world.duties.recover() for _ in range(2)] == [1, 0]
    assert len(await world.lapses(job)) == 1


async def test_many_slices_are_recovered_page_by_page(world: World) -> None:
    await world.job(30, slice_size=1)
    dead = await world.worker()
    await world.claim(dead, 30)
    await world.die(dead)
    freed = [len(await world.store.slices.recover(dead=[], limit=12)) for _ in range(4)]
    assert freed == [12, 12, 6, 0]


async def test_a_lapse_is_a_crash_only_while_its_worker_was_not_seen_again(world: World) -> None:
    job = await world.job(1)
    paused = await world.worker()
    await world.claim_one(paused)
    await world.die(paused)
    await world.duties.recover()
    assert [lapse["charged"] for lapse in await world.lapses(job)] == [True]
    await world.store.workers.see(worker=paused)
    assert [lapse["charged"] for lapse in await world.lapses(job)] == [False]


async def test_a_workers_row_outlives_the_slices_and_lapses_that_name_it(world: World) -> None:
    job = await world.job(2, slice_size=1)
    holder, lapsed, idle = [await world.worker() for _ in range(3)]
    await world.claim(holder, 1)
    await world.claim(lapsed, 1)
    for worker in (holder, lapsed, idle):
        await world.die(worker)
    await world.store.slices.recover(dead=[], limit=1)
    states = [row["worker"] for row in await world.slices(job)]
    assert states.count(None) == 1
    await world.store.workers.prune(age=timedelta(0))
    left = {row["incarnation"] for row in await world.store.workers.list()}
    assert {holder, lapsed} <= left
    assert idle not in left
    await world.duties.recover()
    await world.run()
    await world.store.workers.prune(age=timedelta(0))
    left = {row["incarnation"] for row in await world.store.workers.list()}
    assert not left & {holder, lapsed}


async def test_every_lapse_of_an_item_can_be_listed(world: World) -> None:
    job = await world.job(4, slice_size=2)
    for _ in range(2):
        dead = await world.worker()
        await world.claim(dead, 1)
        await world.die(dead)
        await world.duties.recover()
    assert len(await world.store.items.lapses(job_id=job, seq=2, batch_first_seq=1)) == 2
    assert len(await world.store.items.lapses(job_id=job, seq=3, batch_first_seq=1)) == 0


# -- release -------------------------------------------------------------------------------------------------------


async def test_a_release_without_a_start_costs_nothing_and_leaves_no_trace(world: World) -> None:
    job = await world.job(2)
    worker = await world.worker()
    claimed = await world.claim_one(worker)
    assert await world.release(worker, claimed, started=False)
    row = await world.slice(job)
    assert (row["state"], row["worker"], row["settles"]) == (READY, None, 0)
    assert row["fence"] > claimed.fence
    assert await world.lapses(job) == []
    assert (await world.claim_one(worker)).seqs == [1, 2]


async def test_a_release_after_a_start_is_on_record_and_no_crash(world: World) -> None:
    job = await world.job(2)
    worker = await world.worker()
    claimed = await world.claim_one(worker)
    await world.release(worker, claimed, started=True)
    (lapse,) = await world.lapses(job)
    assert (lapse["kind"], lapse["fence"], lapse["charged"]) == ("released", claimed.fence, False)
    again = await world.claim_one(worker)
    assert (again.retries, again.suspect) == ({}, False)


async def test_only_the_claims_own_holder_releases_it_and_once(world: World) -> None:
    job = await world.job(1)
    worker = await world.worker()
    claimed = await world.claim_one(worker)
    assert not await world.release("another", claimed, started=True)
    assert await world.release(worker, claimed, started=True)
    assert not await world.release(worker, claimed, started=True)
    assert len(await world.lapses(job)) == 1


async def test_a_stale_release_does_not_free_the_next_claim(world: World) -> None:
    job = await world.job(1)
    worker = await world.worker()
    old = await world.claim_one(worker)
    await world.release(worker, old, started=False)
    new = await world.claim_one(worker)
    assert not await world.release(worker, old, started=True)
    assert (await world.slice(job))["fence"] == new.fence
    assert await world.lapses(job) == []


# -- promote and unhold --------------------------------------------------------------------------------------------


async def test_due_retries_are_promoted_whatever_their_jobs_state(world: World) -> None:
    jobs = [await world.job(1) for _ in range(3)]
    await world.run(dict.fromkeys([1], BAD), worker=None)
    await world.operations.pause(jobs[0], actor="me")
    await world.operations.cancel(jobs[1], actor="me")
    assert await world.duties.promote() == 3
    rows = [await world.slice(job) for job in jobs]
    assert [(row["state"], row["available_at"]) for row in rows] == [(READY, None)] * 3
    assert await world.duties.promote() == 0
    await world.duties.sweep()


async def test_a_promoted_slice_keeps_its_fence_and_what_was_settled(world: World) -> None:
    job = await world.job(2)
    await world.run({2: BAD})
    before = await world.slice(job)
    await world.duties.promote()
    after = await world.slice(job)
    assert (after["fence"], after["settles"], after["open"]) == (before["fence"], 1, 1)


async def test_the_next_due_time_is_the_earliest_waiting_slices(world: World) -> None:
    assert (await world.store.slices.next_due())[0] is None
    job = await world.job(1)
    await world.run({1: LATER})
    due, now = await world.store.slices.next_due()
    assert due == (await world.outcome(job, 1))["next_attempt_at"]
    assert due is not None
    assert due > now
