"""READ COMMITTED: a snapshot is older than the locks that its statement waits for. Each race here was lost once."""

import asyncio

import pytest

from batchanator.domain.errors import ConflictError
from batchanator.domain.submission import JobOptions
from batchanator.store.limited import claim_limited
from batchanator.store.records import Claimed
from batchanator.store.redriving import redrive
from batchanator.store.store import Repositories
from tests.contract.sessions import Gate, meanwhile, overtake
from tests.contract.test_bury import crash
from tests.contract.world import BAD, FATAL, LATER, LEASED, READY, World, entries, settlement


def settling(world: World, worker, claimed, answers=None, **more):
    """Return a settle to be run in somebody's transaction."""

    async def work(tx: Repositories) -> None:
        row, items = settlement(claimed, answers or {}, **more)
        assert len(await tx.slices.settle(worker=worker, slices=[row], items=items)) == 1

    return work


def redriving(job: int, seqs: list[int]):
    async def work(tx: Repositories) -> int:
        return await redrive(tx, job_id=job, seqs=seqs, granted=3, slice_size=50)

    return work


# -- claims --------------------------------------------------------------------------------------------------------


async def test_a_claim_whose_snapshot_is_old_takes_no_slice_settled_and_promoted_meanwhile(
    shared: World,
) -> None:
    job = await shared.job(3)
    late, quick = await shared.worker(), await shared.worker()
    async with Gate(shared) as gate:
        async with meanwhile(shared.claim(late, store=gate.store)) as claim:
            await shared.until_blocked()
            await shared.settle(quick, await shared.claim_one(quick), {1: BAD})
            assert await shared.duties.promote() == 1
            await gate.open()
        assert [one.seqs for one in await claim] in ([], [[1]])
        for one in await claim:
            await shared.release(late, one, started=False)
    again = await shared.claim_one(late)
    assert again.seqs == [1]
    await shared.settle(late, again)
    assert await shared.counts(job) == {"succeeded": 3}


async def test_a_claim_whose_snapshot_is_old_brings_no_item_buried_meanwhile(shared: World) -> None:
    job = await shared.job(3)
    for _ in range(2):
        await crash(shared, job, 2)
    late = await shared.worker()
    async with Gate(shared) as gate:
        async with meanwhile(shared.claim(late, store=gate.store)) as claim:
            await shared.until_blocked()
            assert await shared.duties.bury() == 1
            await gate.open()
        assert (await shared.outcome(job, 2))["status"] == "dead"
        assert [seq for one in await claim for seq in one.seqs if seq == 2] == []


async def test_a_claim_whose_snapshot_is_old_takes_no_slice_swept_meanwhile(shared: World) -> None:
    job = await shared.job(3)
    late = await shared.worker()
    async with Gate(shared) as gate:
        async with meanwhile(shared.claim(late, store=gate.store)) as claim:
            await shared.until_blocked()
            await shared.operations.cancel(job, actor="me")
            assert await shared.duties.sweep() == 1
            await gate.open()
        assert await claim == []
    assert await shared.status(job) == "cancelled"


async def test_an_item_whose_key_was_taken_over_is_never_claimed_again(shared: World) -> None:
    """Of a stopping job a free item counts as cancelled: a claim that began before the stop may not have it after."""
    old = await shared.job(entries(["a"]))
    late = await shared.worker()
    async with Gate(shared) as gate:
        async with meanwhile(shared.claim(late, store=gate.store)) as claim:
            await shared.until_blocked()
            await shared.operations.cancel(old, actor="me")
            new = await shared.job(entries(["a"]))
            await gate.open()
        taken = [(one.job_id, seq) for one in await claim for seq in one.seqs]
        accepted = (await shared.get(new))["accepted"]
        assert (len(taken), accepted) in {(0, 1), (1, 0)}, "one live item per key"


async def test_a_claim_waits_for_nobody_and_takes_the_neighbours_of_what_is_locked(shared: World) -> None:
    job = await shared.job(4, slice_size=1)
    worker, other = await shared.worker(), await shared.another()
    async with other.transaction() as tx:
        await tx.slices.covering(job_id=job, seqs=[1, 3])
        async with asyncio.timeout(5):
            taken = await shared.claim(worker, 9)
    assert [one.first_seq for one in taken] == [2, 4]
    assert [one.first_seq for one in await shared.claim(worker, 9)] == [1, 3]


async def test_claims_at_once_never_share_a_slice(shared: World) -> None:
    await shared.job(120, slice_size=2)
    workers = [await shared.worker() for _ in range(4)]
    stores = [await shared.another() for _ in workers]

    async def drain(index: int) -> list[tuple[int, int]]:
        mine = []
        while taken := await shared.claim(workers[index], 3, store=stores[index]):
            mine += [(one.first_seq, one.fence) for one in taken]
        return mine

    taken = await asyncio.gather(*(drain(index) for index in range(4)))
    firsts = sorted(first for part in taken for first, _ in part)
    assert firsts == list(range(1, 121, 2))
    assert {fence for part in taken for _, fence in part} == {1}


async def test_two_claims_of_a_capped_job_at_once_do_not_count_past_each_other(shared: World) -> None:
    """What is leased is counted under the job's lock: a claim that is not committed yet is not overlooked."""
    job = await shared.job(9, slice_size=1, options=JobOptions(max_concurrency=2))
    types = list(shared.types.values())

    async def claim(tx: Repositories, worker: str) -> list[Claimed]:
        return await claim_limited(tx, worker=worker, types=types, limit=20)

    one, other = await shared.worker(), await shared.worker()
    first, second = await shared.store.transact(lambda tx: claim(tx, one))
    await shared.settle(one, [first, second], {1: BAD})
    store = await shared.another()
    async with store.transaction() as tx:
        assert len(await claim(tx, one)) == 2
        assert await shared.duties.promote() == 1, "one that comes before those that are claimed"
        async with asyncio.timeout(5):
            assert await shared.store.transact(lambda tx: claim(tx, other)) == []
    assert await shared.store.transact(lambda tx: claim(tx, other)) == []
    assert (await shared.counts(job))["processing"] == 2


# -- settles -------------------------------------------------------------------------------------------------------


async def test_two_settles_that_close_a_batch_close_it_once(shared: World) -> None:
    job = await shared.job(4, slice_size=2)
    worker = await shared.worker()
    one, other = await shared.claim(worker)
    late = await overtake(shared, settling(shared, worker, one), shared.settle(worker, other, {4: FATAL}))
    assert [row.job_ended for row in late] == [True]
    assert await shared.counts(job) == {"succeeded": 3, "dead": 1}
    assert await shared.events(job) == [(1, "partially_completed")]


async def test_two_settles_that_close_two_batches_end_their_job_once(shared: World) -> None:
    job = await shared.job(4, chunk=2)
    worker = await shared.worker()
    one, other = await shared.claim(worker)
    late = await overtake(shared, settling(shared, worker, one), shared.settle(worker, other))
    assert [row.job_ended for row in late] == [True]
    assert await shared.events(job) == [(1, "completed")]


async def test_the_same_settle_twice_at_once_counts_once(shared: World) -> None:
    job = await shared.job(3)
    worker = await shared.worker()
    claimed = await shared.claim_one(worker)
    first = settling(shared, worker, claimed, {2: LATER})
    again = await overtake(shared, first, shared.settle(worker, claimed, {2: LATER}))
    assert again == []
    assert await shared.counts(job) == {"succeeded": 2, "retrying": 1}


async def test_the_same_flush_twice_at_once_counts_once(shared: World) -> None:
    job = await shared.job(3)
    worker = await shared.worker()
    claimed = await shared.claim_one(worker)
    first = settling(shared, worker, claimed, {2: BAD}, closing=False)
    again = await overtake(shared, first, shared.flush(worker, claimed, {2: BAD}))
    assert len(again) == 1
    assert (await shared.outcome(job, 2))["attempts"] == 1
    await shared.settle(worker, claimed, flushed=[2])
    assert await shared.counts(job) == {"succeeded": 2, "retrying": 1}


async def test_many_settles_of_one_batch_at_once_add_up(shared: World) -> None:
    job = await shared.job(60, slice_size=1, chunk=20)
    workers = [await shared.worker() for _ in range(4)]
    stores = [await shared.another() for _ in workers]

    async def drain(index: int) -> None:
        while taken := await shared.claim(workers[index], 2, store=stores[index]):
            await shared.settle(workers[index], taken, {9: FATAL, 30: FATAL}, store=stores[index])

    await asyncio.gather(*(drain(index) for index in range(4)))
    assert await shared.counts(job) == {"succeeded": 58, "dead": 2}
    assert await shared.events(job) == [(1, "partially_completed")]


async def test_the_seal_and_the_last_settle_end_the_job_once_whoever_is_first(shared: World) -> None:
    for settle_first in (True, False):
        job = await shared.empty_job()
        writer = await shared.ingester(job)
        await shared.writes(writer, entries([f"{job}"]))
        worker = await shared.worker()
        claimed = await shared.claim_one(worker)
        fence = writer.checkpoint.ingest_fence

        async def sealing(tx: Repositories, job: int = job, fence: int = fence) -> None:
            assert await tx.jobs.seal(job_id=job, ingest_fence=fence) is not None

        if settle_first:
            await overtake(shared, settling(shared, worker, claimed), shared.seal(job, writer))
        else:
            await overtake(shared, sealing, shared.settle(worker, claimed))
        assert await shared.status(job) == "completed"
        assert await shared.events(job) == [(1, "completed")]


async def test_a_cancel_and_the_last_settle_end_the_job_once_whoever_is_first(shared: World) -> None:
    for settle_first in (True, False):
        job = await shared.job(1)
        worker = await shared.worker()
        claimed = await shared.claim_one(worker)

        async def cancelling(tx: Repositories, job: int = job) -> None:
            await tx.jobs.stop(job_id=job, stopping="cancelled", reason=None, reason_code=None)

        if settle_first:
            cancel = shared.operations.cancel(job, actor="me")
            with pytest.raises(ConflictError):
                await overtake(shared, settling(shared, worker, claimed), cancel)
        else:
            await overtake(shared, cancelling, shared.settle(worker, claimed))
        await shared.duties.sweep()
        status = "completed" if settle_first else "cancelled"
        assert await shared.counts(job) == {"succeeded": 1}
        assert await shared.events(job) == [(1, status)]


async def test_a_retry_settled_while_its_job_is_stopped_is_swept_in_the_end(shared: World) -> None:
    """The settle's snapshot does not know of the stop: the slice it arms is the standing sweep's."""
    job = await shared.job(4, slice_size=2)
    worker = await shared.worker()
    one, other = await shared.claim(worker)

    async def cancelling(tx: Repositories) -> None:
        await tx.slices.covering(job_id=job, seqs=[1])
        await tx.jobs.stop(job_id=job, stopping="cancelled", reason=None, reason_code=None)

    await overtake(shared, cancelling, shared.settle(worker, one, {1: LATER}))
    await shared.settle(worker, other, {3: LATER})
    await shared.duties.sweep()
    assert await shared.statuses(job) == {1: "cancelled", 2: "succeeded", 3: "cancelled", 4: "succeeded"}
    assert await shared.status(job) == "cancelled"


# -- recovery and the sweep ----------------------------------------------------------------------------------------


async def test_a_settle_that_is_under_way_wins_over_recovery_which_waits_for_nobody(shared: World) -> None:
    job = await shared.job(2)
    worker, other = await shared.worker(), await shared.another()
    claimed = await shared.claim_one(worker)
    await shared.die(worker)
    async with other.transaction() as tx:
        await settling(shared, worker, claimed)(tx)
        async with asyncio.timeout(5):
            assert await shared.duties.recover() == 0
    assert await shared.status(job) == "completed"
    assert await shared.lapses(job) == []


@pytest.mark.parametrize("then", ["ended", "waiting", "another's"])
async def test_a_recovery_whose_snapshot_is_old_frees_nothing_settled_meanwhile(
    shared: World, then: str
) -> None:
    """A rescuer that works from a snapshot overwrites finished work."""
    job = await shared.job(2)
    worker, other = await shared.worker(), await shared.worker()
    claimed = await shared.claim_one(worker)
    await shared.die(worker)
    async with Gate(shared) as gate:
        async with meanwhile(gate.store.slices.recover(dead=[])) as recovery:
            await shared.until_blocked()
            answers = {"ended": {}, "waiting": {1: LATER}, "another's": {1: BAD}}[then]
            assert len(await shared.settle(worker, claimed, answers)) == 1
            if then == "another's":
                await shared.duties.promote()
                await shared.claim_one(other)
            await gate.open()
        assert await recovery == []
    assert await shared.lapses(job) == []
    if then == "another's":
        row = await shared.slice(job)
        assert (row["state"], row["worker"]) == (LEASED, other)


async def test_two_recoveries_at_once_record_each_lapse_once(shared: World) -> None:
    job = await shared.job(20, slice_size=1)
    worker = await shared.worker()
    await shared.claim(worker, 20)
    await shared.die(worker)
    stores = [await shared.another() for _ in range(3)]
    freed = await asyncio.gather(*(store.slices.recover(dead=[]) for store in stores))
    assert sum(len(part) for part in freed) + await shared.duties.recover() == 20
    assert len(await shared.lapses(job)) == 20


async def test_a_sweep_does_not_cancel_what_is_claimed_under_it(shared: World) -> None:
    job = await shared.job(2)
    worker = await shared.worker()
    other = await shared.another()
    async with other.transaction() as tx:
        (claimed,) = await tx.slices.claim(worker=worker, types=list(shared.types.values()), limit=1)
        await shared.operations.cancel(job, actor="me")
        sweep = asyncio.ensure_future(shared.duties.sweep())
        await shared.until_blocked()
    assert await sweep == 0
    await shared.settle(worker, claimed)
    assert await shared.counts(job) == {"succeeded": 2}
    assert await shared.status(job) == "cancelled"


# -- redrives ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [None, BAD, LATER], ids=["good", "due", "later"])
async def test_a_settle_that_waited_for_a_redrive_keeps_the_slice(shared: World, answer) -> None:
    """The redrive's `open` is in the locked row, its item is not in the settle's snapshot: never lost, never late."""
    job = await shared.job(4)
    await shared.run({2: FATAL, 3: BAD})
    await shared.duties.promote()
    worker = await shared.worker()
    claimed = await shared.claim_one(worker)
    assert claimed.seqs == [3]
    answers = {} if answer is None else {3: answer}
    await overtake(shared, redriving(job, [2]), shared.settle(worker, claimed, answers))
    row = await shared.slice(job)
    assert row["open"] == (1 if answer is None else 2)
    assert row["state"] == READY, "a due time was not seen: ready at once"
    assert 2 in (await shared.claim_one(worker)).seqs


async def test_a_redrive_that_waited_for_the_last_settle_reopens_the_job(shared: World) -> None:
    job = await shared.job(4)
    await shared.run({2: FATAL, 3: BAD})
    await shared.duties.promote()
    worker = await shared.worker()
    claimed = await shared.claim_one(worker)
    replay = await overtake(
        shared, settling(shared, worker, claimed), shared.operations.replay(job, actor="me")
    )
    assert replay == (1, 0, 0)
    assert (await shared.get(job))["round"] == 2
    await shared.run()
    assert await shared.events(job) == [(1, "partially_completed"), (2, "completed")]


async def test_two_redrives_of_the_same_items_at_once_count_once(shared: World) -> None:
    job = await shared.job(5)
    await shared.run({2: FATAL, 4: FATAL})
    replay = await overtake(shared, redriving(job, [2, 4]), shared.operations.replay(job, actor="me"))
    assert replay == (0, 0, 0), "what another replay took is not left out"
    assert (await shared.get(job))["round"] == 2
    await shared.run()
    assert await shared.counts(job) == {"succeeded": 5}


async def test_two_redrives_of_neighbours_at_once_share_a_slice_or_do_not_meet(shared: World) -> None:
    job = await shared.job(9)
    await shared.run({2: FATAL, 5: FATAL, 8: FATAL})
    other = shared.store.transact(redriving(job, [5]))
    late = await overtake(shared, redriving(job, [2, 8]), other)
    assert late == 1
    assert sum(row["open"] for row in await shared.slices(job)) == 3
    assert (await shared.get(job))["round"] == 2
    await shared.run()
    assert await shared.counts(job) == {"succeeded": 9}


async def test_a_cancel_that_waited_for_a_redrive_cancels_what_it_brought(shared: World) -> None:
    job = await shared.job(4, slice_size=2)
    worker = await shared.worker()
    await shared.settle(worker, await shared.claim_one(worker), {1: FATAL})
    cancel = await overtake(shared, redriving(job, [1]), shared.operations.cancel(job, actor="me"))
    assert cancel == 3
    await shared.duties.sweep()
    assert await shared.counts(job) == {"succeeded": 1, "cancelled": 3}


async def test_a_redrive_that_waited_for_a_cancel_changes_nothing(shared: World) -> None:
    job = await shared.job(4, slice_size=2)
    worker = await shared.worker()
    await shared.settle(worker, await shared.claim_one(worker), {1: FATAL})

    async def cancelling(tx: Repositories) -> None:
        await tx.jobs.stop(job_id=job, stopping="cancelled", reason=None, reason_code=None)

    with pytest.raises(ConflictError):
        await overtake(shared, cancelling, shared.operations.replay(job, actor="me"))
    assert await shared.counts(job) == {"succeeded": 1, "dead": 1, "pending": 2}


async def test_of_a_purge_and_a_redrive_at_once_one_wins_whole(shared: World) -> None:
    one, other = await shared.job(1), await shared.job(1)
    await shared.run({1: FATAL})

    async def purging(tx: Repositories) -> None:
        gone = await tx.outcomes.purge(job_id=one, seqs=[1])
        await tx.items.empty(job_id=one, seqs=gone)

    replay = await overtake(shared, purging, shared.operations.replay(one, actor="me"))
    assert replay == (0, 0, 1)
    purge = await overtake(shared, redriving(other, [1]), shared.operations.purge(other, actor="me"))
    assert purge == 0
    payloads = await shared.fetch("SELECT payload FROM items ORDER BY job_id")
    assert [row["payload"] for row in payloads] == ["", '{"a": 1}']
    await shared.run()
    assert [await shared.status(job) for job in (one, other)] == ["failed", "completed"]


async def test_slices_batches_and_jobs_are_locked_in_one_order_by_all(shared: World) -> None:
    """Settles, redrives and sweeps of the same jobs at once: nobody waits in a circle."""
    jobs = [await shared.job(12, slice_size=2, chunk=4) for _ in range(2)]
    await shared.run(dict.fromkeys((1, 2, 5, 6, 9), FATAL))
    stores = [await shared.another() for _ in range(3)]
    workers = [await shared.worker() for _ in range(2)]

    async def work(index: int) -> None:
        for _ in range(8):
            taken = await shared.claim(workers[index], 6, store=stores[index])
            await shared.settle(workers[index], taken[::-1], {1: FATAL, 9: FATAL}, store=stores[index])

    async def replays() -> None:
        for _ in range(8):
            for job in jobs:
                await shared.operations.replay(job, actor="me")

    await asyncio.gather(work(0), work(1), replays())
    await shared.operations.replay(jobs[0], actor="me")
    await shared.run()
    for store in stores:
        await store.close()
    row = await shared.one("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    assert row["deadlocks"] == 0
    assert await shared.counts(jobs[0]) == {"succeeded": 12}
