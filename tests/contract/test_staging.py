"""The staging table: rows leave it exactly once, and each that left is an item, a duplicate or a reject."""

import pytest

from batchanator.domain.submission import JobOptions
from batchanator.ingest.filling import Cutting
from batchanator.ingest.reading import SourceReader
from batchanator.store.store import Store
from tests.contract.world import World, entries, statement

NONE = JobOptions()


async def stage(world: World, *keys: str, job_type: str = "mail", payload: object = "{}") -> None:
    for key in keys:
        await world.fetch(
            "INSERT INTO pending_work (job_type, idempotency_key, payload)"
            " VALUES (:job_type, :key, :payload) RETURNING id",
            job_type=job_type,
            key=key,
            payload=payload,
        )


async def staged(world: World) -> list[str]:
    rows = await world.fetch("SELECT idempotency_key FROM pending_work ORDER BY id")
    return [row["idempotency_key"] for row in rows]


async def trigger(world: World, job_type: str = "mail") -> int | None:
    if job_type not in world.types:
        await world.job_type(job_type)
    submitted = await world.submitter().database(job_type, options=NONE, request=None)
    return None if submitted is None else submitted.job_id


async def read(world: World, job: int, *, chunk_size: int = 1000, store: Store | None = None) -> None:
    store = store or world.store
    worker = await world.worker()
    row = await store.jobs.take_ingestion(job_id=job, worker=worker)
    assert row is not None
    kind = next(kind for kind in await store.job_types.list() if kind["id"] == row["job_type_id"])
    reader = SourceReader(store, world.wakeups, roots=[], cutting=Cutting(chunk_size))
    try:
        await reader.read(row, kind)
    finally:
        reader.close()


async def test_staging_rows_become_items_and_leave(world: World) -> None:
    await stage(world, "a", "b", "c")
    ids = [row["id"] for row in await world.fetch("SELECT id FROM pending_work ORDER BY id")]
    job = await trigger(world)
    assert job is not None
    await read(world, job, chunk_size=2)
    assert await staged(world) == []
    rows = await world.fetch("SELECT idempotency_key, source_row_id FROM items ORDER BY seq")
    assert [tuple(row.values()) for row in rows] == list(zip("abc", ids, strict=True))
    await world.run()
    assert await world.status(job) == "completed"


async def test_nothing_staged_is_no_job(world: World) -> None:
    await stage(world, "a", job_type="other")
    assert await trigger(world) is None


async def test_bad_rows_and_duplicates_leave_too_and_cost_only_themselves(world: World) -> None:
    await world.job_type()
    before = await world.job(entries(["old"], "{}"))
    await stage(world, "a", "old", "")
    await stage(world, "b", payload="{")
    await stage(world, "a", "c", "k" * 513)
    job = await trigger(world)
    assert job is not None
    await read(world, job)
    row = await world.get(job)
    assert (row["lines"], row["accepted"], row["duplicates"], row["rejected"]) == (7, 2, 2, 3)
    assert await world.duplicates(job) == [(2, 2, before, 1, "duplicate"), (5, 5, job, 1, "duplicate")]
    rejects = await world.store.lines.rejects(job_id=job, after=0, limit=9)
    assert [(row["line"], row["code"]) for row in rejects] == [
        (3, "key_empty"),
        (4, "not_json"),
        (7, "key_too_long"),
    ]
    assert await staged(world) == []


async def test_rows_that_come_after_the_trigger_wait_for_the_next(world: World) -> None:
    await stage(world, "a")
    first = await trigger(world)
    await stage(world, "late")
    assert first is not None
    await read(world, first)
    assert await staged(world) == ["late"]
    second = await trigger(world)
    assert second is not None
    await read(world, second)
    assert await staged(world) == []


async def test_only_the_triggers_own_type_is_taken(world: World) -> None:
    await stage(world, "a")
    await stage(world, "b", job_type="other")
    job = await trigger(world)
    assert job is not None
    await read(world, job)
    assert await staged(world) == ["b"]


async def test_two_triggers_of_the_same_rows_share_them_out(world: World) -> None:
    await stage(world, *"abcdef")
    jobs = [await trigger(world) for _ in range(2)]
    for job in jobs:
        assert job is not None
        await read(world, job, chunk_size=2)
        assert await world.status(job) in {"processing", "completed"}
    assert len(await world.fetch("SELECT seq FROM items")) == 6


async def test_a_row_that_its_writer_still_locks_is_neither_lost_nor_waited_for(shared: World) -> None:
    await stage(shared, "a", "locked", "c")
    job = await trigger(shared)
    assert job is not None
    other = await shared.another()
    async with other.transaction() as tx:
        await tx.session.fetch(
            statement("UPDATE pending_work SET payload = '[2]' WHERE idempotency_key = 'locked' RETURNING id")
        )
        await read(shared, job)
        assert (await shared.get(job))["accepted"] == 2
    assert await staged(shared) == ["locked"]
    again = await trigger(shared)
    assert again is not None
    await read(shared, again)
    rows = await shared.fetch("SELECT payload FROM items WHERE job_id = :job", job=again)
    assert rows == [{"payload": "[2]"}]


async def test_a_lower_id_that_commits_late_is_not_lost(shared: World) -> None:
    other = await shared.another()
    async with other.transaction() as tx:
        await tx.session.fetch(
            statement(
                "INSERT INTO pending_work (job_type, idempotency_key, payload)"
                " VALUES ('mail', 'late', '{}') RETURNING id"
            )
        )
        await stage(shared, "early")
        job = await trigger(shared)
        assert job is not None
        await read(shared, job)
    assert await staged(shared) == ["late"]
    again = await trigger(shared)
    assert again is not None
    await read(shared, again)
    assert (await shared.get(again))["accepted"] == 1


@pytest.mark.parametrize("payload", [b"{}", b"\xff"], ids=["bytes", "bytes that are no text"])
async def test_a_row_with_bytes_for_a_payload_holds_up_nobody(sqlite_url: str, payload: bytes) -> None:
    """SQLite takes any type into a column: what is no text is a reject, and its neighbours go on."""
    world = await World.begin(sqlite_url)
    try:
        await stage(world, "a")
        await stage(world, "bytes", payload=payload)
        await stage(world, "c")
        job = await trigger(world)
        assert job is not None
        await read(world, job)
        row = await world.get(job)
        assert (row["lines"], row["sealed_at"] is not None) == (3, True)
        assert row["accepted"] >= 2
        assert await staged(world) == []
    finally:
        await world.end()
