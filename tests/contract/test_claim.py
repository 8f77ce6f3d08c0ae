"""A claim takes ready slices of runnable jobs, under a living worker's lease, and brings what is due of them."""

import json

import pytest

from batchanator.domain.submission import Entry, JobOptions
from batchanator.store.records import Floor, Listed
from tests.contract.world import BAD, FATAL, HOUR, LATER, LEASED, READY, SKIP, WAITING, World


async def test_a_claim_brings_keys_payloads_and_seqs_in_input_order(world: World) -> None:
    lines = [Entry(f"k{n}", b'{"n": %d, "big": 18446744073709551616, "x": 1.10}' % n) for n in range(1, 8)]
    job = await world.job(lines, slice_size=5)
    first, second = await world.claim(await world.worker())
    assert (first.job_id, first.first_seq, first.last_seq, first.seqs) == (job, 1, 5, [1, 2, 3, 4, 5])
    assert (second.first_seq, second.last_seq, second.seqs) == (6, 7, [6, 7])
    assert (first.keys, second.keys) == (["k1", "k2", "k3", "k4", "k5"], ["k6", "k7"])
    assert first.body == "[" + ",".join(line.payload.decode() for line in lines[:5] if line.payload) + "]"
    assert (first.settles, first.suspect, first.retries) == (0, False, {})


async def test_the_fence_grows_with_every_claim_and_every_loss_of_one(world: World) -> None:
    job = await world.job(2)
    fences = []
    for started in (False, True):
        worker = await world.worker()
        claimed = await world.claim_one(worker)
        fences.append(claimed.fence)
        assert await world.release(worker, claimed, started=started)
        fences.append((await world.slice(job))["fence"])
    dead = await world.worker()
    fences.append((await world.claim_one(dead)).fence)
    await world.die(dead)
    await world.duties.recover()
    fences.append((await world.slice(job))["fence"])
    assert fences == sorted(set(fences))


async def test_a_claim_sets_worker_and_lease_and_nothing_else_is_claimable_then(world: World) -> None:
    job = await world.job(3)
    worker = await world.worker()
    claimed = await world.claim_one(worker)
    row = await world.slice(job)
    assert (row["state"], row["worker"], row["fence"], row["open"]) == (LEASED, worker, claimed.fence, 3)
    assert row["claimed_at"] is not None
    assert await world.claim(await world.worker()) == []


async def test_a_worker_without_a_living_lease_cannot_claim(world: World) -> None:
    await world.job(3)
    dead = await world.worker()
    await world.die(dead)
    assert await world.claim(dead) == []
    assert await world.claim("never registered") == []
    assert len(await world.claim(await world.worker())) == 1


async def test_a_lease_that_ran_out_is_never_extended(world: World) -> None:
    worker = await world.worker()
    await world.die(worker)
    assert not await world.store.workers.beat(worker=worker, lease=HOUR)
    assert await world.claim(worker) == []


async def test_a_claim_takes_no_more_than_its_limit(world: World) -> None:
    await world.job(10, slice_size=1)
    worker = await world.worker()
    assert [one.first_seq for one in await world.claim(worker, 3)] == [1, 2, 3]
    assert [one.first_seq for one in await world.claim(worker, 4)] == [4, 5, 6, 7]
    assert [one.first_seq for one in await world.claim(worker, 99)] == [8, 9, 10]


async def test_only_types_that_the_worker_handles_are_claimed(world: World) -> None:
    mail = await world.job(1, job_type="mail")
    report = await world.job(1, job_type="report")
    worker = await world.worker()
    assert await world.claim(worker, types=[]) == []
    assert [one.job_id for one in await world.claim(worker, types=[world.types["report"]])] == [report]
    (one,) = await world.claim(worker)
    assert (one.job_id, one.job_type_id) == (mail, world.types["mail"])


async def test_items_are_claimed_while_their_job_is_still_ingested(world: World) -> None:
    job = await world.job(2, sealed=False)
    worker = await world.worker()
    await world.settle(worker, await world.claim_one(worker))
    assert await world.status(job) == "ingesting"


async def test_what_is_final_or_not_due_is_left_out_of_a_retry(world: World) -> None:
    job = await world.job(6)
    worker = await world.worker()
    await world.settle(worker, await world.claim_one(worker), {1: BAD, 2: FATAL, 3: SKIP, 4: LATER, 5: BAD})
    await world.duties.promote()
    again = await world.claim_one(worker)
    assert again.seqs == [1, 5]
    assert again.keys == [f"{job}/1", f"{job}/5"]
    assert json.loads(again.body or "") == [{"a": 1}, {"a": 1}]
    assert again.retries == {1: (1, 3), 5: (1, 3)}
    assert again.settles == 1


async def test_after_a_lapse_a_claim_leaves_out_what_was_flushed(world: World) -> None:
    await world.job(5)
    dead = await world.worker()
    claimed = await world.claim_one(dead)
    await world.flush(dead, claimed, {1: SKIP, 2: BAD, 3: LATER})
    await world.die(dead)
    await world.duties.recover()
    again = await world.claim_one(await world.worker())
    assert again.seqs == [2, 4, 5]
    assert again.retries == {2: (1, 3)}
    assert again.settles == 0


async def test_a_claim_that_finds_nothing_due_settles_empty_and_is_armed_again(world: World) -> None:
    job = await world.job(3)
    worker = await world.worker()
    claimed = await world.claim_one(worker)
    await world.flush(worker, claimed, {1: LATER, 2: LATER, 3: LATER})
    await world.release(worker, claimed, started=True)
    empty = await world.claim_one(worker)
    assert (empty.seqs, empty.keys, empty.body, empty.retries) == ([], [], None, {})
    assert len(await world.settle(worker, empty)) == 1
    row = await world.slice(job)
    assert (row["state"], row["open"], row["worker"]) == (WAITING, 3, None)
    assert row["available_at"] == (await world.outcome(job, 1))["next_attempt_at"]
    assert await world.fetch("SELECT first_seq FROM runs") == []
    assert await world.counts(job) == {"retrying": 3}


async def test_a_slice_whose_worker_crashed_is_suspect(world: World) -> None:
    await world.job(2, slice_size=1)
    dead = await world.worker()
    await world.claim_one(dead)
    await world.die(dead)
    await world.duties.recover()
    first, second = await world.claim(await world.worker())
    assert (first.suspect, second.suspect) == (True, False)


async def test_a_slice_is_not_suspect_where_its_worker_was_seen_again(world: World) -> None:
    await world.job(1)
    paused = await world.worker()
    await world.claim_one(paused)
    await world.die(paused)
    await world.duties.recover()
    await world.store.workers.see(worker=paused)
    assert not (await world.claim_one(await world.worker())).suspect


async def test_a_slice_that_was_released_after_a_start_is_not_suspect(world: World) -> None:
    await world.job(1)
    worker = await world.worker()
    await world.release(worker, await world.claim_one(worker), started=True)
    assert not (await world.claim_one(worker)).suspect


async def test_a_floor_only_hides_what_lies_below_it(world: World) -> None:
    job = await world.job(4, slice_size=1)
    rows = await world.slices(job)
    floor = Floor(job, rows[2]["ordinal"])
    worker = await world.worker()

    async def claim(limit: int, floors: list[Floor]) -> list[int]:
        taken = await world.store.slices.claim(
            worker=worker, types=list(world.types.values()), limit=limit, floors=floors
        )
        return [one.first_seq for one in taken]

    assert await claim(1, [floor]) == [3]
    assert await claim(9, [floor]) == [4]
    assert await claim(9, [floor]) == []
    assert await claim(9, []) == [1, 2]


@pytest.mark.parametrize("listed", [False, True], ids=["claim", "claim_listed"])
async def test_no_slice_of_a_job_that_may_not_run_is_claimed(world: World, listed: bool) -> None:
    paused, stopping, held, quiet = [
        await world.job(1, job_type=name, options=JobOptions(strict=name == "held"), sealed=name != "held")
        for name in ("paused", "stopping", "held", "quiet")
    ]
    await world.operations.pause(paused, actor="me")
    await world.operations.cancel(stopping, actor="me")
    await world.fetch("UPDATE job_types SET paused_at = clock_timestamp() WHERE name = 'quiet' RETURNING id")
    worker = await world.worker()
    jobs = (paused, stopping, held, quiet)
    if listed:
        taken = await world.store.slices.claim_listed(
            worker=worker,
            types=list(world.types.values()),
            limit=9,
            jobs=[Listed(job, 0) for job in jobs],
        )
    else:
        taken = await world.claim(worker)
    assert taken == []
    states = [(await world.slice(job))["state"] for job in (paused, stopping, quiet)]
    assert states == [READY, READY, READY]
    await world.duties.sweep()


async def test_a_slice_that_waits_for_its_retry_is_not_claimed_before_it_is_promoted(world: World) -> None:
    job = await world.job(1)
    worker = await world.worker()
    await world.settle(worker, await world.claim_one(worker), {1: LATER})
    assert await world.claim(worker) == []
    assert await world.duties.promote() == 0
    assert (await world.slice(job))["state"] == WAITING


async def test_what_a_worker_holds_is_what_it_claimed_and_did_not_settle(world: World) -> None:
    await world.job(3, slice_size=1)
    worker, other = await world.worker(), await world.worker()
    first, second = await world.claim(worker, 2)
    await world.claim_one(other)
    await world.settle(worker, first)
    assert await world.store.slices.leased_by(worker=worker) == {
        (second.job_id, second.first_seq, second.fence)
    }
