"""What the doctor is told by each database."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from batchanator.app.doctor import examine
from batchanator.domain.diagnosis.finding import Level
from batchanator.settings import load_settings
from batchanator.store.statements import Dialect
from tests.contract.world import LATER, TICK, World


async def levels(world: World, url: str) -> dict[str, Level]:
    settings = load_settings(config=None, cwd=Path.cwd(), environ={}, overrides={"database_url": url})
    found = await examine(world.store, settings)
    return {one.check: one.level for one in found}


async def test_a_healthy_database_has_nothing_wrong(world: World, database_url: str) -> None:
    await world.job(10)
    await world.run()
    found = await levels(world, database_url)
    assert Level.WRONG not in found.values()
    assert len(found) == 12


async def test_work_without_a_worker_is_wrong(world: World, database_url: str) -> None:
    job = await world.job(10)
    assert (await levels(world, database_url))["work"] is Level.WRONG
    await world.operations.pause(job, actor="test")
    assert (await levels(world, database_url))["work"] is Level.NOTE


async def test_slices_of_a_dead_worker_are_seen(world: World, database_url: str) -> None:
    await world.job(10)
    worker = await world.worker()
    await world.claim_one(worker)
    assert (await levels(world, database_url))["lapsed slices"] is Level.OK
    await world.die(worker)
    assert (await levels(world, database_url))["lapsed slices"] is Level.NOTE
    assert await world.duties.recover() == 1
    found = await levels(world, database_url)
    assert (found["lapsed slices"], found["suspect slices"]) == (Level.OK, Level.NOTE)


async def test_a_retry_that_nobody_promotes_is_wrong(world: World, database_url: str) -> None:
    await world.job(1)
    worker = await world.worker()
    await world.settle(worker, await world.claim_one(worker), {1: LATER})
    assert (await levels(world, database_url))["retries"] is Level.OK
    past = timedelta(hours=-2)
    await world.fetch("UPDATE slices SET available_at = available_at + :past WHERE state = 2", past=past)
    assert (await levels(world, database_url))["retries"] is Level.WRONG


async def test_a_source_without_a_reader_is_wrong_once_it_waits_a_minute(
    world: World, database_url: str
) -> None:
    job = await world.empty_job()
    await world.fetch("UPDATE jobs SET source_kind = 'file', ingest_worker = NULL WHERE id = :id", id=job)
    assert (await levels(world, database_url))["ingestion"] is Level.OK
    past = timedelta(minutes=-2)
    await world.fetch("UPDATE jobs SET created_at = created_at + :past WHERE id = :id", past=past, id=job)
    assert (await levels(world, database_url))["ingestion"] is Level.WRONG


async def test_a_stopping_job_with_free_slices_is_seen(world: World, database_url: str) -> None:
    job = await world.job(10)
    await world.operations.cancel(job, actor="test")
    assert (await levels(world, database_url))["stopping jobs"] is Level.NOTE
    await world.fetch("UPDATE workers SET lease_until = started_at")
    assert (await levels(world, database_url))["stopping jobs"] is Level.WRONG
    await world.duties.sweep()
    assert (await levels(world, database_url))["stopping jobs"] is Level.OK


async def test_an_old_transaction_is_seen_and_its_text_is_not(world: World, database_url: str) -> None:
    if world.store.dialect is not Dialect.POSTGRES:
        pytest.skip("SQLite keeps no dead rows for a reader")
    other = await world.another()
    async with other.transaction() as tx:
        await tx.jobs.live()
        await asyncio.sleep(0)
        rows = await world.store.doctor.pinning(age=TICK)
        assert [(row["kind"], row["state"]) for row in rows] == [("session", "idle in transaction")]
        assert "query" not in rows[0]
    assert await world.store.doctor.pinning(age=TICK) == []


async def test_a_worker_whose_process_is_gone_is_not_alive_whatever_its_lease(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'test.db'}"
    world = await World.begin(url)
    try:
        await world.job(10)
        worker = await world.worker()
        await world.fetch("UPDATE workers SET roles = 'dispatch' WHERE incarnation = :worker", worker=worker)
        assert (await levels(world, url))["work"] is not Level.WRONG
        folder = tmp_path / "test.db.locks"
        folder.mkdir()
        (folder / f"{worker}.lock").touch()  # free: its process is gone
        assert (await levels(world, url))["work"] is Level.WRONG
    finally:
        await world.end()
