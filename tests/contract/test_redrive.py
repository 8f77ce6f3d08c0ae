"""A redrive gives dead items fresh attempts, wherever they lie, and reopens what had closed; a purge forbids it."""

import pytest

from batchanator.domain.errors import ConflictError, NotFoundError
from batchanator.domain.submission import JobOptions
from tests.contract.world import (
    BAD,
    FATAL,
    GOOD,
    LATER,
    LEASED,
    READY,
    SKIP,
    WAITING,
    World,
    entries,
    settlement,
)


async def test_a_redrive_of_an_ended_job_reopens_it_for_its_next_round(world: World) -> None:
    job = await world.job(5)
    await world.run({2: FATAL, 4: FATAL, 5: SKIP})
    assert (await world.operations.replay(job, actor="me")).replayed == 2
    row = await world.get(job)
    assert (row["status"], row["ended_at"], row["round"]) == ("processing", None, 2)
    assert await world.counts(job) == {"succeeded": 2, "skipped": 1, "retrying": 2}
    for seq in (2, 4):
        outcome = await world.outcome(job, seq)
        assert (outcome["status"], outcome["reason"]) == ("retrying", None)
        assert (outcome["attempts"], outcome["max_attempts"]) == (1, 4)
    await world.run()
    assert await world.counts(job) == {"succeeded": 4, "skipped": 1}
    assert await world.events(job) == [(1, "partially_completed"), (2, "completed")]


async def test_a_redriven_item_is_claimed_with_its_old_attempts_and_new_room(world: World) -> None:
    job = await world.job(3)
    await world.run_out({2: BAD})
    assert (await world.outcome(job, 2))["attempts"] == 3
    await world.operations.replay(job, actor="me")
    (claimed,) = await world.claim(await world.worker())
    assert claimed.seqs == [2]
    assert claimed.retries == {2: (3, 6)}
    assert claimed.settles == 1


async def test_attempts_never_restart_and_all_are_on_record(world: World) -> None:
    job = await world.job(1)
    await world.run_out({1: BAD})
    await world.operations.replay(job, actor="me")
    await world.run_out({1: BAD})
    attempts = await world.store.items.attempts(job_id=job, seq=1)
    assert [one["attempt"] for one in attempts] == [1, 2, 3, 4, 5, 6]
    fences = [one["fence"] for one in attempts]
    assert fences == sorted(set(fences))
    row = await world.outcome(job, 1)
    assert (row["status"], row["reason"], row["attempts"]) == ("dead", "exhausted", 6)
    assert await world.events(job) == [(1, "failed"), (2, "failed")]


async def test_a_live_slice_carries_what_is_redriven_inside_it(world: World) -> None:
    job = await world.job(4)
    await world.run({2: FATAL, 3: LATER})
    before = await world.slice(job)
    assert before["state"] == WAITING
    assert (await world.operations.replay(job, actor="me")).replayed == 1
    row = await world.slice(job)
    assert (row["open"], row["state"], row["available_at"]) == (2, READY, None)
    assert row["fence"] == before["fence"]
    claimed = await world.claim_one(await world.worker())
    assert claimed.seqs == [2], "the other is not due yet"


async def test_a_leased_slice_carries_it_too_and_is_ready_after_its_settle(world: World) -> None:
    """The holder does not know of the item: its settle may not delete the slice, nor let it wait."""
    job = await world.job(4)
    await world.run({2: FATAL, 3: BAD})
    await world.duties.promote()
    worker = await world.worker()
    claimed = await world.claim_one(worker)
    assert claimed.seqs == [3]
    assert (await world.operations.replay(job, actor="me")).replayed == 1
    row = await world.slice(job)
    assert (row["open"], row["state"], row["worker"]) == (2, LEASED, worker)
    await world.settle(worker, claimed)
    row = await world.slice(job)
    assert row["open"] == 1
    await world.duties.promote()
    again = await world.claim_one(worker)
    assert again.seqs == [2]
    await world.settle(worker, again)
    assert await world.status(job) == "completed"


async def test_an_unsettled_slice_carries_what_was_flushed_dead(world: World) -> None:
    job = await world.job(3)
    worker = await world.worker()
    claimed = await world.claim_one(worker)
    await world.flush(worker, claimed, {1: FATAL})
    await world.operations.replay(job, actor="me")
    await world.settle(worker, claimed, flushed=[1])
    assert (await world.slice(job))["open"] == 1
    await world.run_out()
    assert await world.counts(job) == {"succeeded": 3}
    assert await world.events(job) == [(1, "completed")]


async def test_items_between_slices_get_slices_of_their_own_that_meet_no_other(world: World) -> None:
    job = await world.job(30, slice_size=10)
    worker = await world.worker()
    first, second, third = await world.claim(worker)
    await world.settle(worker, [first, third], dict.fromkeys((1, 5, 9, 10, 21, 30), FATAL))
    await world.settle(worker, second, {15: LATER})
    assert (await world.operations.replay(job, actor="me")).replayed == 6
    ranges = [(row["first_seq"], row["last_seq"], row["open"]) for row in await world.slices(job)]
    assert ranges == [(1, 10, 4), (11, 20, 1), (21, 30, 2)]
    ordinals = [row["ordinal"] for row in await world.slices(job)]
    assert len(set(ordinals)) == 3


async def test_a_new_slice_starts_above_every_fence_of_its_batch(world: World) -> None:
    """An item's own fence is not enough: a zombie of a neighbour's older claim could match the new slice."""
    job = await world.job(4)
    for _ in range(3):
        dead = await world.worker()
        await world.claim_one(dead)
        await world.die(dead)
        await world.duties.recover()
    await world.run({1: FATAL, 2: BAD})
    await world.duties.promote()
    for _ in range(3):
        worker = await world.worker()
        await world.release(worker, await world.claim_one(worker), started=True)
    await world.run()
    highest = await world.one(
        "SELECT max(fence) AS fence FROM (SELECT fence FROM outcomes UNION ALL SELECT fence FROM runs"
        " UNION ALL SELECT fence FROM lapses) f"
    )
    await world.operations.replay(job, actor="me")
    row = await world.slice(job)
    assert (row["first_seq"], row["last_seq"], row["settles"]) == (1, 1, 1)
    assert row["fence"] > highest["fence"]


async def test_the_fence_of_the_run_counts_too_where_the_item_was_flushed_under_an_older_one(
    world: World,
) -> None:
    job = await world.job(3)
    dead = await world.worker()
    await world.flush(dead, await world.claim_one(dead), {1: FATAL})
    await world.die(dead)
    await world.duties.recover()
    last = await world.claim_one(await world.worker())
    await world.release((await world.slice(job))["worker"], last, started=True)
    worker = await world.worker()
    last = await world.claim_one(worker)
    await world.settle(worker, last)
    assert (await world.outcome(job, 1))["fence"] < last.fence
    await world.operations.replay(job, actor="me")
    assert (await world.slice(job))["fence"] > last.fence


async def test_no_zombie_settles_a_slice_that_a_redrive_made(world: World) -> None:
    job = await world.job(2)
    zombie = await world.worker()
    old = await world.claim_one(zombie)
    await world.die(zombie)
    await world.duties.recover()
    await world.run({1: FATAL})
    await world.operations.replay(job, actor="me")
    assert await world.settle(zombie, old) == []
    worker = await world.worker()
    new = await world.claim_one(worker)
    assert await world.settle(zombie, old) == []
    assert new.fence > old.fence
    await world.settle(worker, new)


async def test_a_redriven_slice_never_writes_a_second_run(world: World) -> None:
    job = await world.job(3)
    await world.run({1: FATAL, 3: FATAL})
    await world.operations.replay(job, actor="me")
    await world.run()
    assert len(await world.fetch("SELECT first_seq FROM runs")) == 1
    assert await world.statuses(job) == dict.fromkeys((1, 2, 3), "succeeded")


async def test_only_the_batches_that_are_redriven_reopen(world: World) -> None:
    job = await world.job(9, chunk=3)
    await world.run({2: FATAL, 8: FATAL, 9: FATAL})
    await world.operations.replay(job, actor="me")
    rows = await world.fetch("SELECT number, succeeded, dead, completed_at FROM batches ORDER BY number")
    assert [(row["succeeded"], row["dead"], row["completed_at"] is None) for row in rows] == [
        (2, 0, True),
        (3, 0, False),
        (1, 0, True),
    ]
    row = await world.one("SELECT succeeded, dead, batches_open FROM jobs")
    assert tuple(row.values()) == (3, 0, 2)
    await world.run()
    assert await world.counts(job) == {"succeeded": 9}


async def test_a_redrive_of_a_job_that_still_runs_is_no_new_round(world: World) -> None:
    job = await world.job(4, chunk=2, slice_size=2)
    worker = await world.worker()
    await world.settle(worker, await world.claim_one(worker), {1: FATAL})
    assert (await world.operations.replay(job, actor="me")).replayed == 1
    assert (await world.get(job))["round"] == 1
    await world.run()
    assert await world.events(job) == [(1, "completed")]


async def test_a_stopping_job_cannot_be_redriven_until_it_has_ended(world: World) -> None:
    job = await world.job(4, slice_size=2)
    worker = await world.worker()
    first, second = await world.claim(worker)
    await world.settle(worker, first, {1: FATAL})
    await world.operations.cancel(job, actor="me")
    with pytest.raises(ConflictError):
        await world.operations.replay(job, actor="me")
    assert (await world.outcome(job, 1))["status"] == "dead"
    await world.settle(worker, second)
    assert await world.status(job) == "cancelled"
    assert (await world.operations.replay(job, actor="me")).replayed == 1
    row = await world.get(job)
    assert (row["stopping"], row["reason"], row["round"]) == (None, None, 2)
    assert await world.duties.sweep() == 0, "a redriven item is not swept away"
    await world.run()
    assert await world.status(job) == "completed"
    assert await world.events(job) == [(1, "cancelled"), (2, "completed")]


async def test_an_item_whose_key_another_holds_now_is_left_out(world: World) -> None:
    job = await world.job(entries(["a", "b"]))
    await world.run({1: FATAL, 2: FATAL})
    mended = await world.job(entries(["a"], '{"mended": true}'))
    assert await world.operations.replay(job, actor="me") == (1, 1, 0)
    assert await world.statuses(job) == {1: "dead", 2: "retrying"}
    item = await world.store.items.get(job_id=job, seq=1)
    assert item is not None
    assert (item["replaced_by_job_id"], item["replaced_by_seq"]) == (mended, 1)
    await world.run()
    assert await world.statuses(job) == {1: "dead", 2: "succeeded"}


async def test_a_redrive_with_nothing_to_redrive_changes_nothing(world: World) -> None:
    job = await world.job(2)
    await world.run({1: SKIP})
    assert await world.operations.replay(job, actor="me") == (0, 0, 0)
    row = await world.get(job)
    assert (row["status"], row["round"]) == ("completed", 1)
    assert await world.fetch("SELECT action FROM actions") == []
    with pytest.raises(NotFoundError):
        await world.operations.replay(job + 1, actor="me")


async def test_redriving_twice_redrives_once(world: World) -> None:
    job = await world.job(3)
    await world.run({2: FATAL})
    assert [(await world.operations.replay(job, actor="me")).replayed for _ in range(2)] == [1, 0]
    assert (await world.slice(job, 2))["open"] == 1


async def test_an_item_redriven_inside_a_redriven_slice_is_carried_by_it(world: World) -> None:
    job = await world.job(9)
    await world.run({2: FATAL, 8: FATAL})
    await world.operations.replay(job, actor="me")
    await world.run({2: FATAL, 8: LATER})
    assert [(row["first_seq"], row["last_seq"]) for row in await world.slices(job)] == [(2, 8)]
    assert (await world.operations.replay(job, actor="me")).replayed == 1
    assert (await world.slice(job, 2))["open"] == 2
    await world.run()
    assert await world.counts(job) == {"succeeded": 8, "retrying": 1}


async def test_more_dead_letters_than_a_page_are_redriven(world: World) -> None:
    job = await world.job(1200, slice_size=100, chunk=400)
    await world.run(dict.fromkeys(range(1, 1201), FATAL))
    assert (await world.operations.replay(job, actor="me")).replayed == 1200
    assert await world.counts(job) == {"retrying": 1200}
    assert (await world.get(job))["round"] == 2
    await world.run()
    assert await world.counts(job) == {"succeeded": 1200}


async def test_a_redrive_keeps_a_jobs_own_slice_size(world: World) -> None:
    """A job may ask for short slices, for slow work: its redrive is no longer."""
    job = await world.job(8, options=JobOptions(slice_size=2))
    await world.run(dict.fromkeys(range(1, 9), FATAL))
    await world.operations.replay(job, actor="me")
    assert [row["open"] for row in await world.slices(job)] == [2, 2, 2, 2]


async def test_who_redrove_is_on_record(world: World) -> None:
    job = await world.job(2)
    await world.run({1: FATAL})
    await world.operations.replay(job, actor="ann")
    row = await world.one("SELECT job_id, action, actor FROM actions")
    assert tuple(row.values()) == (job, "replay", "ann")


# -- purge ---------------------------------------------------------------------------------------------------------


async def test_a_purge_empties_payloads_and_keeps_rows_keys_and_counts(world: World) -> None:
    job = await world.job(3)
    await world.run({1: FATAL, 3: BAD})
    assert await world.operations.purge(job, actor="me") == 1
    item = await world.store.items.get(job_id=job, seq=1)
    assert item is not None
    assert (item["status"], item["payload"], item["purged_at"] is not None) == ("dead", "", True)
    assert item["last_error"] == "no such thing"
    assert await world.counts(job) == {"succeeded": 1, "dead": 1, "retrying": 1}
    others = await world.fetch("SELECT payload FROM items WHERE seq > 1")
    assert {row["payload"] for row in others} == {'{"a": 1}'}
    assert len(await world.fetch("SELECT key FROM idempotency_keys")) == 3
    assert await world.operations.purge(job, actor="me") == 0


async def test_a_purged_item_cannot_be_redriven(world: World) -> None:
    job = await world.job(2)
    await world.run({1: FATAL, 2: FATAL})
    await world.operations.purge(job, actor="me")
    assert (await world.operations.replay(job, actor="me")).replayed == 0
    assert await world.status(job) == "failed"
    assert (await world.get(job))["round"] == 1


async def test_a_purged_items_key_stands_against_the_same_payload_and_yields_to_a_mended_line(
    world: World,
) -> None:
    old = await world.job(entries(["a"]))
    await world.run({1: FATAL})
    await world.operations.purge(old, actor="me")
    same = await world.job(entries(["a"]))
    assert await world.duplicates(same) == [(1, 1, old, 1, "dead_holder")]
    mended = await world.job(entries(["a"], '{"mended": 1}'))
    assert (await world.get(mended))["accepted"] == 1
    await world.run()
    assert await world.status(mended) == "completed"


async def test_a_settle_cannot_overwrite_what_a_redrive_changed_under_it(world: World) -> None:
    """The fence of the item's row only grows: an answer of the claim before is late."""
    job = await world.job(2)
    worker = await world.worker()
    claimed = await world.claim_one(worker)
    await world.flush(worker, claimed, {1: FATAL})
    await world.operations.replay(job, actor="me")
    row, items = settlement(claimed, {1: GOOD}, closing=False)
    await world.store.slices.settle(worker=worker, slices=[row], items=items)
    assert (await world.outcome(job, 1))["status"] == "retrying"
    await world.settle(worker, claimed, flushed=[1])
    await world.run_out()
    assert await world.counts(job) == {"succeeded": 2}
