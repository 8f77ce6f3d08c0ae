"""Ingestions side by side: keys sorted, verdicts after the lock, one item a key; who is fenced writes nothing."""

import asyncio
import random
from contextlib import suppress

import pytest

from batchanator.domain.errors import LeaseLostError
from batchanator.domain.submission import Entry, JobOptions, Request, Submitted
from batchanator.ingest.writer import Writer
from batchanator.store.redriving import redrive
from batchanator.store.store import Repositories
from tests.contract.sessions import StopPoint, meanwhile, overtake
from tests.contract.world import FATAL, LATER, TEXT, World, entries, portion, portions, settlement

MENDED = '{"mended": true}'


async def dead_job(world: World, keys: list[str]) -> int:
    job = await world.job(entries(keys))
    await world.run(dict.fromkeys(range(1, len(keys) + 1), FATAL))
    return job


async def new_writer(world: World) -> tuple[int, Writer]:
    """Return a job and its ingester, in a session of its own."""
    job = await world.empty_job()
    return job, await world.ingester(job, store=await world.another())


def writing(writer: Writer, lines: list[Entry]):
    """Return a portion to be written, after a first failure, in somebody's transaction."""
    chunk = portion(lines, writer)

    async def work(tx: Repositories) -> None:
        writer.advance([chunk], await writer.write_in(tx, writer.prepare([chunk]), position=0, careful=True))

    return work


async def live_items(world: World, key: str) -> list[tuple[int, int]]:
    rows = await world.fetch(
        "SELECT job_id, seq FROM batch_items WHERE idempotency_key = :key"
        " AND status NOT IN ('dead', 'cancelled') ORDER BY job_id, seq",
        key=key,
    )
    return [(row["job_id"], row["seq"]) for row in rows]


async def test_of_two_lines_with_one_key_at_once_one_is_an_item(shared: World) -> None:
    first, one = await new_writer(shared)
    second, other = await new_writer(shared)
    await overtake(shared, writing(one, entries(["b"])), shared.writes(other, entries(["a", "b", "c"])))
    assert await live_items(shared, "b") == [(first, 1)]
    assert await shared.duplicates(second) == [(2, 2, first, 1, "duplicate")]
    assert (await shared.get(second))["accepted"] == 2


async def test_a_line_whose_rival_is_rolled_back_is_an_item(shared: World) -> None:
    _, one = await new_writer(shared)
    second, other = await new_writer(shared)
    rival = await shared.another()
    with suppress(RuntimeError):
        async with rival.transaction() as tx:
            await writing(one, entries(["a"]))(tx)
            ingestion = asyncio.ensure_future(shared.writes(other, entries(["a", "b"])))
            await shared.until_blocked()
            raise RuntimeError
    await ingestion
    assert await live_items(shared, "a") == [(second, 1)]
    assert await shared.duplicates(second) == []


async def test_four_ingestions_of_the_same_keys_in_other_orders_never_deadlock(shared: World) -> None:
    keys = [f"k{number:04}" for number in range(1600)]
    jobs = []
    for seed in range(4):
        job, writer = await new_writer(shared)
        shuffled = keys[:]
        random.Random(seed).shuffle(shuffled)
        jobs.append((job, writer, entries(shuffled)))

    async def ingest(job: int, writer: Writer, lines: list[Entry]) -> None:
        for start in range(0, len(lines), 80):
            size = (80, 20)[start // 80 % 2]  # a portion of one chunk, and one of several
            await writer.write(writer.prepare(portions(lines[start : start + 80], writer, size)), position=0)
        await shared.seal(job, writer)

    await asyncio.gather(*(ingest(*one) for one in jobs))
    rows = [await shared.get(job) for job, _, _ in jobs]
    assert sum(row["accepted"] for row in rows) == 1600
    assert sum(row["duplicates"] for row in rows) == 4800
    for _, writer, _ in jobs:
        await writer._store.close()
    row = await shared.one("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    assert row["deadlocks"] == 0
    await shared.run()


async def test_of_two_mended_lines_at_once_one_takes_the_key_over(shared: World) -> None:
    old = await dead_job(shared, ["a"])
    first, one = await new_writer(shared)
    second, other = await new_writer(shared)
    mended = [Entry("a", MENDED.encode())]
    await overtake(shared, writing(one, mended), shared.writes(other, [Entry("a", b"[2]")]))
    assert await live_items(shared, "a") == [(first, 1)]
    assert await shared.duplicates(second) == [(1, 1, first, 1, "conflict")]
    assert await shared.operations.replay(old, actor="me") == (0, 1, 0)


async def test_many_mended_lines_of_many_batches_at_once_take_each_key_once(shared: World) -> None:
    keys = [f"k{number:02}" for number in range(24)]
    old = await shared.job(entries(keys), chunk=4)
    await shared.run(dict.fromkeys(range(1, 25), FATAL))
    writers = [await new_writer(shared) for _ in range(3)]

    async def ingest(index: int) -> None:
        job, writer = writers[index]
        lines = [Entry(key, b"[%d]" % index) for key in keys]
        random.Random(index).shuffle(lines)
        await writer.write(writer.prepare(portions(lines, writer, 8)), position=0)
        await shared.seal(job, writer)

    await asyncio.gather(*(ingest(index) for index in range(3)))
    assert sum([(await shared.get(job))["accepted"] for job, _ in writers]) == 24
    for key in keys:
        assert len(await live_items(shared, key)) == 1
    assert await shared.counts(old) == {"dead": 24}
    await shared.run()


async def test_a_mended_line_that_waited_for_a_redrive_is_a_conflict(shared: World) -> None:
    """The verdict is read in a statement after the lock: the item runs again, its key is its own."""
    old = await dead_job(shared, ["a"])
    job, writer = await new_writer(shared)

    async def redriving(tx: Repositories) -> None:
        assert await redrive(tx, job_id=old, seqs=[1], granted=3, slice_size=50) == 1

    await overtake(shared, redriving, shared.writes(writer, [Entry("a", MENDED.encode())]))
    assert await live_items(shared, "a") == [(old, 1)]
    assert await shared.duplicates(job) == [(1, 1, old, 1, "conflict")]
    await shared.run()


async def test_a_redrive_that_waited_for_a_takeover_leaves_the_item_out(shared: World) -> None:
    old = await dead_job(shared, ["a", "b"])
    job, writer = await new_writer(shared)
    takeover = writing(writer, [Entry("a", MENDED.encode())])
    replay = await overtake(shared, takeover, shared.operations.replay(old, actor="me"))
    assert replay == (1, 1, 0)
    assert await live_items(shared, "a") == [(job, 1)]
    assert await shared.statuses(old) == {1: "dead", 2: "retrying"}
    await shared.run()


async def test_a_mended_line_that_waited_for_the_item_to_die_takes_over_or_not_but_once(
    shared: World,
) -> None:
    """The item dies in a settle that is not committed yet: whichever verdict, one live item per key."""
    old = await shared.job(entries(["a"]))
    worker = await shared.worker()
    claimed = await shared.claim_one(worker)
    job, writer = await new_writer(shared)
    store = await shared.another()
    async with store.transaction() as tx:
        row, items = settlement(claimed, {1: FATAL})
        await tx.slices.settle(worker=worker, slices=[row], items=items)
        async with asyncio.timeout(5):
            await shared.writes(writer, [Entry("a", MENDED.encode())])
    assert await shared.duplicates(job) == [(1, 1, old, 1, "conflict")]
    later, writer = await new_writer(shared)
    await shared.writes(writer, [Entry("a", MENDED.encode())])
    assert await live_items(shared, "a") == [(later, 1)]


async def test_a_takeover_in_ones_own_job_and_its_settles_do_not_wait_in_a_circle(shared: World) -> None:
    """A chunk locks its own job's row last: a settle of the job holds a batch and wants that row."""
    job, writer = await new_writer(shared)
    await shared.writes(writer, entries(["a", "b"]))
    worker = await shared.worker()
    claimed = await shared.claim_one(worker)
    await shared.flush(worker, claimed, {1: FATAL})
    with StopPoint("ingest.items") as stop:
        async with meanwhile(shared.writes(writer, [Entry("a", MENDED.encode())])) as chunk:
            await stop.wait()
            async with meanwhile(shared.settle(worker, claimed, flushed=[1])) as settle:
                await shared.until_blocked()
                stop.go_on()
            assert len(await settle) == 1
        await chunk
    assert await live_items(shared, "a") == [(job, 3)]
    await shared.seal(job, writer)
    await shared.run()
    assert await shared.counts(job) == {"succeeded": 2, "dead": 1}


async def test_a_line_whose_holder_is_gone_meanwhile_is_an_item(shared: World) -> None:
    """Retention deletes keys by holder: a duplicate of nobody would be a line that nobody runs."""
    old = await shared.job(entries(["a"]))
    await shared.run()
    _, rival = await new_writer(shared)
    job, writer = await new_writer(shared)

    async def work(tx: Repositories) -> None:
        await writing(rival, entries(["b"]))(tx)

    store = await shared.another()
    async with store.transaction() as tx:
        await work(tx)
        ingestion = asyncio.ensure_future(shared.writes(writer, entries(["a", "b", "c"])))
        await shared.until_blocked()  # it has seen that `a` is taken, and waits for `b`
        for text in (
            "DELETE FROM idempotency_keys WHERE job_id = :job RETURNING key",
            "DELETE FROM items WHERE job_id = :job RETURNING seq",
            "DELETE FROM runs WHERE job_id = :job RETURNING job_id",
            "DELETE FROM batches WHERE job_id = :job RETURNING job_id",
            "DELETE FROM events WHERE job_id = :job RETURNING job_id",
            "DELETE FROM jobs WHERE id = :job RETURNING id",
        ):
            await shared.fetch(text, job=old)
    await ingestion
    assert await live_items(shared, "a") == [(job, 1)]
    assert [line for line, *_ in await shared.duplicates(job)] == [2]


# -- two ingesters of one job --------------------------------------------------------------------------------------


async def test_an_ingester_that_is_fenced_in_the_middle_of_a_portion_writes_nothing(shared: World) -> None:
    job = await shared.empty_job()
    worker = await shared.worker()
    old = await shared.ingester(job, worker=worker, store=await shared.another())
    lines = entries(["a", "b"])
    with StopPoint("ingest.items") as stop:
        async with meanwhile(shared.writes(old, lines)) as late:
            await stop.wait()
            new = await shared.ingester(job, worker=worker, store=await shared.another())
            async with meanwhile(shared.writes(new, lines)) as portion_:
                await shared.until_blocked()
                stop.go_on()
            await portion_
        with pytest.raises(LeaseLostError):
            await late
    row = await shared.get(job)
    assert (row["lines"], row["accepted"], row["duplicates"]) == (2, 2, 0)
    await shared.seal(job, new)
    await shared.run()


async def test_an_ingester_that_comes_while_a_portion_commits_goes_on_after_it(shared: World) -> None:
    job = await shared.empty_job()
    worker = await shared.worker()
    old = await shared.ingester(job, worker=worker, store=await shared.another())
    with StopPoint("ingest.before_commit") as stop:
        async with meanwhile(shared.writes(old, entries(["a", "b"]))) as first:
            await stop.wait()
            async with meanwhile(shared.ingester(job, worker=worker)) as taken:
                await shared.until_blocked()
                stop.go_on()
            new = await taken
        await first
    assert (new.checkpoint.byte_offset, new.checkpoint.line) == (2, 2)
    await shared.writes(new, entries(["c"]))
    await shared.seal(job, new)
    await shared.run()
    assert await shared.counts(job) == {"succeeded": 3}


async def test_a_cancel_in_the_middle_of_a_portion_leaves_none_of_it(shared: World) -> None:
    job = await shared.empty_job()
    writer = await shared.ingester(job, store=await shared.another())
    with StopPoint("ingest.items") as stop:
        async with meanwhile(shared.writes(writer, entries(["a", "b"]))) as late:
            await stop.wait()
            assert await shared.operations.cancel(job, actor="me") == 0
            stop.go_on()
        with pytest.raises(LeaseLostError):
            await late
    assert await shared.status(job) == "cancelled"
    assert (await shared.get(job))["lines"] == 0
    assert await shared.fetch("SELECT key FROM idempotency_keys") == []


async def test_a_portion_that_commits_before_a_cancel_is_cancelled_with_it(shared: World) -> None:
    job = await shared.empty_job()
    writer = await shared.ingester(job, store=await shared.another())
    with StopPoint("ingest.before_commit") as stop:
        async with meanwhile(shared.writes(writer, entries(["a", "b"]))) as first:
            await stop.wait()
            async with meanwhile(shared.operations.cancel(job, actor="me")) as cancel:
                await shared.until_blocked()
                stop.go_on()
            assert await cancel == 2
        await first
    await shared.duties.sweep()
    assert await shared.counts(job) == {"cancelled": 2}


# -- requests ------------------------------------------------------------------------------------------------------


async def test_two_identical_requests_that_both_meet_a_taken_key_make_one_job(shared: World) -> None:
    """Both roll back for the key, and both try again with care: the one that comes second is answered too."""
    await shared.job(entries(["taken"]))
    stores = [await shared.another() for _ in range(2)]
    begin = "ingest.begin"

    async def send(index: int, request: Request) -> Submitted:
        lines = entries([f"{request.key} is free", "taken"])
        submitter = shared.submitter(store=stores[index])
        return await submitter.items("mail", lines, name=None, options=JobOptions(), request=request)

    both_careful = False
    for number in range(20):  # whose turn it is after a rollback is the database's to say
        request = Request(f"r-{number}", "the same")
        with StopPoint(begin) as first, StopPoint(begin, at=2) as second, StopPoint(begin, at=3) as third:
            async with meanwhile(send(0, request)) as one:
                await first.wait()
                async with meanwhile(send(1, request)) as other:
                    await shared.until_blocked()  # on the request's key
                    first.go_on()  # it meets the taken key, and rolls back
                    await second.wait()
                    await shared.until_blocked()
                    second.go_on()
                    async with meanwhile(third.wait()) as again:
                        await asyncio.wait({again, one, other}, return_when=asyncio.FIRST_COMPLETED)
                        if both_careful := third.reached:
                            await shared.until_blocked()
                        third.go_on()
                        again.cancel()
                answers = [await one, await other]
        assert answers[0].job_id == answers[1].job_id
        rows = await shared.fetch("SELECT id FROM jobs WHERE request_key = :key", key=request.key)
        assert len(rows) == 1
        if both_careful:
            break
    assert both_careful, "the case did not occur"


async def test_a_request_that_waits_for_its_twin_is_answered_with_the_twins_job(shared: World) -> None:
    await shared.job_type()
    request = Request("r-1", "the same")
    stores = [await shared.another() for _ in range(2)]

    async def send(index: int):
        submitter = shared.submitter(store=stores[index])
        return await submitter.items("mail", entries(["a"]), name=None, options=JobOptions(), request=request)

    with StopPoint("ingest.begin") as stop:
        async with meanwhile(send(0)) as one:
            await stop.wait()
            async with meanwhile(send(1)) as other:
                await shared.until_blocked()
                stop.go_on()
            answers = [await one, await other]
    assert answers[0].job_id == answers[1].job_id
    assert [answer.replayed for answer in answers] == [False, True]


async def test_keys_that_are_ready_for_takeover_are_still_one_items(shared: World) -> None:
    """A retry that waits in a stopping job is cancelled already as far as its key goes; the sweep agrees."""
    old = await shared.job(entries(["a"]))
    await shared.run({1: LATER})
    await shared.operations.cancel(old, actor="me")
    job, writer = await new_writer(shared)
    await shared.writes(writer, entries(["a"], TEXT))
    assert await shared.duties.promote() == 0
    await shared.duties.sweep()
    assert await live_items(shared, "a") == [(job, 1)]
