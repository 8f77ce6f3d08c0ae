"""An item that kills its worker again and again is found by name and made dead; its neighbours are not harmed."""

from batchanator.store.records import SliceKey
from tests.contract.world import BAD, GOOD, World


async def crash(world: World, job: int, seq: int, first_seq: int = 1) -> str:
    """A worker claims the slice, starts one item alone, and dies of it."""
    worker = await world.worker()
    taken = await world.claim(worker)
    claimed = next(one for one in taken if (one.job_id, one.first_seq) == (job, first_seq))
    key = SliceKey(job, first_seq, claimed.fence)
    assert await world.store.slices.mark_running(worker=worker, key=key, seq=seq)
    for one in taken:
        if one is not claimed:
            await world.release(worker, one, started=False)
    await world.die(worker)
    await world.duties.recover()
    return worker


async def test_an_item_named_by_too_many_crashes_is_dead_and_its_neighbours_go_on(world: World) -> None:
    job = await world.job(3)
    await crash(world, job, 2)
    assert await world.duties.bury() == 0
    await crash(world, job, 2)
    assert await world.duties.bury() == 1
    row = await world.outcome(job, 2)
    assert (row["status"], row["reason"], row["attempts"]) == ("dead", "crashed", 0)
    assert "died" in row["error"]
    assert await world.statuses(job) == {1: "pending", 2: "dead", 3: "pending"}
    assert (await world.slice(job))["open"] == 2
    again = await world.claim_one(await world.worker())
    assert again.seqs == [1, 3]


async def test_burying_twice_counts_once(world: World) -> None:
    job = await world.job(2)
    for _ in range(2):
        await crash(world, job, 1)
    assert [await world.duties.bury() for _ in range(2)] == [1, 0]
    assert await world.counts(job) == {"dead": 1, "pending": 1}


async def test_crashes_of_two_items_are_not_added_up(world: World) -> None:
    job = await world.job(2)
    await crash(world, job, 1)
    await crash(world, job, 2)
    assert await world.duties.bury() == 0
    assert await world.counts(job) == {"pending": 2}


async def test_a_slice_that_only_holds_a_crasher_ends_with_its_batch_and_job(world: World) -> None:
    job = await world.job(1)
    for _ in range(2):
        await crash(world, job, 1)
    await world.duties.bury()
    assert await world.slices(job) == []
    assert await world.status(job) == "failed"
    assert await world.events(job) == [(1, "failed")]


async def test_a_worker_that_is_seen_again_did_not_crash(world: World) -> None:
    job = await world.job(2)
    first = await crash(world, job, 1)
    await crash(world, job, 1)
    await world.store.workers.see(worker=first)
    assert await world.duties.bury() == 0
    await crash(world, job, 1)
    assert await world.duties.bury() == 1
    assert await world.statuses(job) == {1: "dead", 2: "pending"}


async def test_an_item_that_succeeded_before_is_not_buried_by_what_came_after(world: World) -> None:
    job = await world.job(2)
    await crash(world, job, 1)
    worker = await world.worker()
    claimed = await world.claim_one(worker)
    await world.store.slices.mark_running(worker=worker, key=SliceKey(job, 1, claimed.fence), seq=1)
    await world.flush(worker, claimed, {1: GOOD})
    await world.die(worker)
    await world.duties.recover()
    assert await world.duties.bury() == 0
    assert (await world.outcome(job, 1))["status"] == "succeeded"


async def test_a_retry_that_crashes_keeps_its_attempts(world: World) -> None:
    job = await world.job(2)
    await world.run({1: BAD})
    await world.duties.promote()
    for _ in range(2):
        await crash(world, job, 1)
    await world.duties.bury()
    row = await world.outcome(job, 1)
    assert (row["status"], row["reason"], row["attempts"]) == ("dead", "crashed", 1)
    assert await world.status(job) == "partially_completed"


async def test_a_redriven_crasher_is_run_again_and_not_buried_by_its_old_crashes(world: World) -> None:
    """A redrive grants a fresh start, also where a live slice carries the item."""
    job = await world.job(3)
    for _ in range(2):
        await crash(world, job, 2)
    await world.duties.bury()
    worker = await world.worker()
    claimed = await world.claim_one(worker)
    await world.release(worker, claimed, started=False)
    assert (await world.operations.replay(job, actor="me")).replayed == 1
    await world.duties.bury()
    assert (await world.statuses(job))[2] != "dead"
    again = await world.claim_one(worker)
    assert again.seqs == [1, 2, 3]
    await world.settle(worker, again)
    assert await world.counts(job) == {"succeeded": 3}


async def test_a_redriven_crasher_may_crash_afresh_before_it_is_buried_again(world: World) -> None:
    job = await world.job(1)
    for _ in range(2):
        await crash(world, job, 1)
    await world.duties.bury()
    await world.operations.replay(job, actor="me")
    await crash(world, job, 1)
    assert await world.duties.bury() == 0
    await crash(world, job, 1)
    assert await world.duties.bury() == 1
    assert await world.events(job) == [(1, "failed"), (2, "failed")]
