"""One corpus of lines, identical verdicts on every database: what is kept, what is refused and with which code."""

import io
from collections.abc import Callable

from batchanator.ingest.chunk import read_chunks
from tests.contract.world import World
from tests.corpus.evil import Evil, evil_file

LIMIT = 8192


async def ingest(world: World, chunk: int) -> tuple[int, list[tuple[int, Evil]]]:
    text, rows = evil_file(LIMIT)
    job = await world.empty_job()
    writer = await world.ingester(job)
    for piece in read_chunks(io.BytesIO(text), size=chunk, max_line_bytes=LIMIT):
        await writer.write(writer.prepare([piece]), position=0)
    await world.seal(job, writer)
    return job, rows


async def test_every_line_has_its_one_verdict(world: World) -> None:
    job, rows = await ingest(world, 7)
    rejects = await world.store.lines.rejects(job_id=job, after=0, limit=1000)
    assert {row["line"]: row["code"] for row in rejects} == {
        line: str(evil.code) for line, evil in rows if evil.code is not None
    }
    first: dict[str, int] = {}
    for line, evil in rows:
        if evil.code is None and evil.key is not None:
            first.setdefault(evil.key, line)
    items = await world.fetch("SELECT seq, idempotency_key FROM items ORDER BY seq")
    assert {row["idempotency_key"]: row["seq"] for row in items} == first
    row = await world.get(job)
    blank = sum(evil.code is None and evil.key is None for _, evil in rows)
    assert row["lines"] == len(rows) - blank


async def test_what_was_accepted_is_delivered_with_its_bytes(world: World) -> None:
    job, rows = await ingest(world, 50)
    lines = {line: evil.line for line, evil in rows}
    payloads = await world.store.items.payloads(job_id=job, first_seq=1, last_seq=len(rows))
    assert {seq: text.encode() for seq, text in payloads.items()} == {
        seq: lines[seq].removesuffix(b"\r") for seq in payloads
    }
    worker = await world.worker()
    while taken := await world.claim(worker):
        for one in taken:
            assert one.body == "[" + ",".join(payloads[seq] for seq in one.seqs) + "]"
        await world.settle(worker, taken)


async def test_raw_bytes_of_a_reject_come_back_as_they_were(world: World) -> None:
    job, rows = await ingest(world, 1000)
    kept: Callable[[bytes], bytes] = lambda line: line[: 64 << 10]  # noqa: E731
    for row in await world.store.lines.rejects(job_id=job, after=0, limit=1000):
        assert kept(rows[row["line"] - 1][1].line).startswith(bytes(row["raw"]))


async def test_a_second_reading_is_all_duplicates_and_the_same_rejects(world: World) -> None:
    first, _ = await ingest(world, 30)
    again, _ = await ingest(world, 11)
    one, other = await world.get(first), await world.get(again)
    assert (other["accepted"], other["rejected"]) == (0, one["rejected"])
    assert other["duplicates"] == one["accepted"] + one["duplicates"]
    await world.run()
