"""Every settle is guarded by its claim: what is stale loses only its own, and nothing is counted twice."""

import pytest

from batchanator.store.records import ItemOutcome, SliceKey, SliceOutcome
from tests.contract.world import BAD, FATAL, GOOD, LATER, SKIP, World, settlement

TABLES = ("jobs", "batches", "slices", "runs", "outcomes", "attempts", "lapses", "events")


async def contents(world: World) -> dict[str, list[dict[str, object]]]:
    return {
        "jobs": await world.fetch("SELECT * FROM jobs ORDER BY id"),
        "batches": await world.fetch("SELECT * FROM batches ORDER BY job_id, number"),
        "slices": await world.fetch("SELECT * FROM slices ORDER BY job_id, first_seq"),
        "runs": await world.fetch("SELECT * FROM runs ORDER BY job_id, first_seq"),
        "outcomes": await world.fetch("SELECT * FROM outcomes ORDER BY job_id, seq"),
        "attempts": await world.fetch("SELECT * FROM attempts ORDER BY job_id, seq, attempt"),
        "lapses": await world.fetch("SELECT * FROM lapses ORDER BY job_id, first_seq, fence"),
        "events": await world.fetch("SELECT * FROM events ORDER BY job_id, round"),
    }


async def test_the_same_settle_sent_twice_counts_once(world: World) -> None:
    job = await world.job(4)
    worker = await world.worker()
    claimed = await world.claim_one(worker)
    assert len(await world.settle(worker, claimed, {2: SKIP, 3: LATER})) == 1
    before = await contents(world)
    assert await world.settle(worker, claimed, {2: SKIP, 3: LATER}) == []
    assert await contents(world) == before
    assert await world.counts(job) == {"succeeded": 2, "skipped": 1, "retrying": 1}


@pytest.mark.parametrize("ahead", ["recovered", "claimed again", "settled by another", "released"])
async def test_a_late_answer_changes_nothing_in_no_table(world: World, ahead: str) -> None:
    await world.job(4)
    late = await world.worker()
    claimed = await world.claim_one(late)
    other = await world.worker()
    if ahead == "released":
        await world.release(late, claimed, started=True)
    else:
        await world.die(late)
        await world.duties.recover()
    if ahead in {"claimed again", "settled by another"}:
        again = await world.claim_one(other)
        if ahead == "settled by another":
            await world.settle(other, again, {2: BAD})
    before = await contents(world)
    for closing in (True, False):
        answers = {1: FATAL, 2: BAD, 3: SKIP, 4: GOOD}
        assert await world.settle(late, claimed, answers, closing=closing) == []
        assert await contents(world) == before


async def test_a_stale_slice_loses_only_its_own_and_its_neighbours_commit(world: World) -> None:
    job = await world.job(6, slice_size=2)
    worker = await world.worker()
    first, second, third = await world.claim(worker)
    await world.release(worker, second, started=False)
    settled = await world.settle(worker, [first, second, third], {3: FATAL, 5: FATAL})
    assert [row.first_seq for row in settled] == [1, 5]
    assert await world.statuses(job) == {
        1: "succeeded",
        2: "succeeded",
        3: "pending",
        4: "pending",
        5: "dead",
        6: "succeeded",
    }


async def test_another_workers_claim_is_not_settled_by_its_fence_alone(world: World) -> None:
    await world.job(1)
    worker = await world.worker()
    claimed = await world.claim_one(worker)
    before = await contents(world)
    assert await world.settle(await world.worker(), claimed) == []
    assert await world.settle(None, claimed) == []
    assert await contents(world) == before


async def test_a_fence_from_the_future_settles_nothing(world: World) -> None:
    await world.job(1)
    worker = await world.worker()
    claimed = await world.claim_one(worker)
    before = await contents(world)
    assert await world.settle(worker, claimed._replace(fence=claimed.fence + 1)) == []
    assert await contents(world) == before


async def test_a_settle_without_a_worker_needs_the_state_that_it_read(world: World) -> None:
    """The sweep and the burial hold no claim: state and fence are their guard."""
    job = await world.job(2)
    worker = await world.worker()
    claimed = await world.claim_one(worker)
    await world.release(worker, claimed, started=False)
    row = await world.slice(job)
    before = await contents(world)
    for state, fence in ((row["state"], row["fence"] - 1), (2, row["fence"]), (3, row["fence"])):
        one, items = settlement(claimed, {}, state=state, fence=fence)
        assert await world.store.slices.settle(worker=None, slices=[one], items=items) == []
    assert await contents(world) == before


async def test_an_item_is_written_once_under_a_fence(world: World) -> None:
    """A second word on an item under the same claim is not taken, whatever it says, and not counted."""
    job = await world.job(3)
    worker = await world.worker()
    claimed = await world.claim_one(worker)
    await world.flush(worker, claimed, {1: SKIP})
    await world.flush(worker, claimed, {1: FATAL, 2: GOOD})
    assert (await world.outcome(job, 1))["status"] == "skipped"
    assert await world.store.items.attempts(job_id=job, seq=1) == []
    assert await world.counts(job) == {"succeeded": 1, "skipped": 1, "processing": 1}
    assert (await world.slice(job))["open"] == 1


async def test_outcomes_of_a_slice_that_is_not_named_are_dropped(world: World) -> None:
    job = await world.job(2, slice_size=1)
    worker = await world.worker()
    first, second = await world.claim(worker)
    one, _ = settlement(first, {})
    _, stray = settlement(second, {2: FATAL})
    await world.store.slices.settle(worker=worker, slices=[one], items=stray)
    assert await world.statuses(job) == {1: "succeeded", 2: "processing"}


async def test_marking_a_running_item_needs_the_claim(world: World) -> None:
    job = await world.job(2)
    worker = await world.worker()
    claimed = await world.claim_one(worker)
    key = SliceKey(job, 1, claimed.fence)
    assert await world.store.slices.mark_running(worker=worker, key=key, seq=2)
    assert (await world.slice(job))["running_seq"] == 2
    assert not await world.store.slices.mark_running(worker="another", key=key, seq=1)
    await world.release(worker, claimed, started=True)
    assert (await world.slice(job))["running_seq"] is None
    assert not await world.store.slices.mark_running(worker=worker, key=key, seq=1)


async def test_a_closing_settle_takes_the_running_mark_away(world: World) -> None:
    job = await world.job(1)
    worker = await world.worker()
    claimed = await world.claim_one(worker)
    await world.store.slices.mark_running(worker=worker, key=SliceKey(job, 1, claimed.fence), seq=1)
    await world.settle(worker, claimed, {1: LATER})
    assert (await world.slice(job))["running_seq"] is None


def test_records_have_the_fields_that_the_design_names() -> None:
    assert {"fence", "state", "closing", "plain"} <= set(SliceOutcome._fields)
    assert {"attempts", "max_attempts", "wait", "error"} <= set(ItemOutcome._fields)
