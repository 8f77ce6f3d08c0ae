"""A portion of a source is written exactly once, by the holder of the ingestion, from where the last one ended."""

import pytest

from batchanator.domain.errors import LeaseLostError
from batchanator.domain.submission import Entry, JobOptions
from batchanator.store.store import Repositories
from tests.contract.world import World, entries, portion, portions


async def checkpoint(world: World, job: int) -> tuple[int, int, bytes]:
    row = await world.one("SELECT byte_offset, line, chain FROM jobs WHERE id = :job", job=job)
    return row["byte_offset"], row["line"], bytes(row["chain"])


async def test_a_portion_moves_the_checkpoint_to_its_end(world: World) -> None:
    job = await world.empty_job()
    writer = await world.ingester(job)
    chunks = portions(entries(["a", "b", "c"]), writer, 2)
    await writer.write(writer.prepare(chunks), position=77)
    assert await checkpoint(world, job) == (3, 3, chunks[-1].chain)
    row = await world.get(job)
    assert (row["source_position"], row["batches"], row["status"]) == (77, 2, "ingesting")
    await world.seal(job, writer)
    await world.run()


async def test_another_ingester_goes_on_at_the_checkpoint(world: World) -> None:
    job = await world.empty_job()
    first = await world.worker()
    writer = await world.ingester(job, worker=first)
    await world.writes(writer, entries(["a", "b"]))
    assert await world.store.jobs.take_ingestion(job_id=job, worker=await world.worker()) is None
    await world.die(first)
    other = await world.ingester(job)
    assert other.checkpoint[1:] == writer.checkpoint[1:]
    assert other.checkpoint.ingest_fence > writer.checkpoint.ingest_fence
    await world.writes(other, entries(["c"]))
    await world.seal(job, other)
    await world.run()
    assert await world.counts(job) == {"succeeded": 3}


async def test_a_source_that_was_given_back_can_be_taken_at_once(world: World) -> None:
    job = await world.empty_job()
    writer = await world.ingester(job)
    other = await world.worker()
    assert await world.store.jobs.to_ingest(worker=other) == []
    await world.store.jobs.leave_ingestion(job_id=job, ingest_fence=writer.checkpoint.ingest_fence)
    assert [row["id"] for row in await world.store.jobs.to_ingest(worker=other)] == [job]
    await world.ingester(job, worker=other)


async def test_of_two_ingesters_the_fenced_one_writes_nothing(world: World) -> None:
    job = await world.empty_job()
    worker = await world.worker()
    old = await world.ingester(job, worker=worker)
    new = await world.ingester(job, worker=worker)
    chunk = portion(entries(["a", "b"]), old)
    with pytest.raises(LeaseLostError):
        await old.write(old.prepare([chunk]), position=0)
    assert await world.fetch("SELECT key FROM idempotency_keys") == []
    assert (await world.get(job))["lines"] == 0
    await new.write(new.prepare([chunk]), position=0)
    with pytest.raises(LeaseLostError):
        await old.write(old.prepare([chunk]), position=0)
    assert not await world.seal(job, old)
    await world.seal(job, new)
    await world.run()
    assert await world.counts(job) == {"succeeded": 2}


async def test_the_same_portion_is_not_written_twice_under_one_fence(world: World) -> None:
    """A lost COMMIT reply: sent again, it does not fit the checkpoint any more."""
    job = await world.empty_job()
    worker = await world.worker()
    writer = await world.ingester(job, worker=worker)
    start, chunk = writer.checkpoint, portion(entries(["a", "b"]), writer)
    await writer.write(writer.prepare([chunk]), position=0)
    writer.checkpoint = start
    with pytest.raises(LeaseLostError):
        await writer.write(writer.prepare([chunk]), position=0)
    row = await world.get(job)
    assert (row["lines"], row["accepted"], row["duplicates"]) == (2, 2, 0)


async def test_a_portion_of_blank_lines_moves_the_checkpoint_only(world: World) -> None:
    job = await world.empty_job()
    writer = await world.ingester(job)
    chunk = portion([], writer)
    chunk.physical, chunk.end = 5, 5
    await writer.write(writer.prepare([chunk]), position=0)
    assert (await checkpoint(world, job))[:2] == (5, 5)
    assert (await world.get(job))["lines"] == 0
    await world.seal(job, writer)
    assert await world.status(job) == "completed"


async def test_a_failed_portion_leaves_nothing_behind(world: World) -> None:
    job = await world.empty_job()
    writer = await world.ingester(job)
    chunk = portion(entries(["a", "b"]), writer)

    async def broken(tx: Repositories) -> None:
        await writer.write_in(tx, writer.prepare([chunk]), position=0)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await world.store.transact(broken)
    assert (await checkpoint(world, job))[:2] == (0, 0)
    assert await world.fetch("SELECT key FROM idempotency_keys") == []
    await writer.write(writer.prepare([chunk]), position=0)
    assert (await world.get(job))["accepted"] == 2


async def test_rejects_keep_their_line_code_and_bytes(world: World) -> None:
    lines = [Entry("a", b"{}"), Entry("b", b'{"x":', b"the line"), Entry(7, b"{}", b"\x00\xff\x80")]
    job = await world.job(lines)
    rows = await world.store.lines.rejects(job_id=job, after=0, limit=9)
    assert [(row["line"], row["code"], bytes(row["raw"])) for row in rows] == [
        (2, "not_json", b"the line"),
        (3, "key_not_string", b"\x00\xff\x80"),
    ]
    row = await world.get(job)
    assert (row["lines"], row["accepted"], row["rejected"]) == (3, 1, 2)
    await world.run()
    assert await world.status(job) == "partially_completed"


async def test_slices_follow_the_items_of_their_batch_over_gaps(world: World) -> None:
    bad = Entry("x", b"{")
    lines = [*entries(["a"]), bad, *entries(["b", "c"]), bad, bad, *entries(["d", "e"])]
    job = await world.job(lines, slice_size=2, chunk=5)
    rows = await world.slices(job)
    assert [(row["first_seq"], row["last_seq"], row["batch"], row["open"]) for row in rows] == [
        (1, 3, 1, 2),
        (4, 4, 1, 1),
        (7, 8, 2, 2),
    ]
    ordinals = [row["ordinal"] for row in rows]
    assert ordinals == list(range(ordinals[0], ordinals[0] + 3))


async def test_ordinals_are_dense_over_portions(world: World) -> None:
    job = await world.empty_job()
    writer = await world.ingester(job, JobOptions(slice_size=2))
    await world.writes(writer, entries(list("abc")), entries(list("defgh")))
    ordinals = [row["ordinal"] for row in await world.slices(job)]
    assert ordinals == list(range(ordinals[0], ordinals[0] + 5))


async def test_payload_bytes_out_are_payload_bytes_in(world: World) -> None:
    texts = [
        r'{"a":1.10,"b":18446744073709551616,"a":2}',
        '{"t":"\u2028é\U0001f602"}',
        r'{"n":"\u0000\ud83d\ude02"}',
    ]
    texts += ["  [1,\t2]  ", '"x"', "17", "null", r'"\\"', "-0.0e-0"]
    job = await world.job([Entry(f"k{n}", text.encode()) for n, text in enumerate(texts)])
    rows = await world.store.items.payloads(job_id=job, first_seq=1, last_seq=99)
    assert list(rows.values()) == texts
    (claimed,) = await world.claim(await world.worker())
    assert claimed.body == "[" + ",".join(texts) + "]"
