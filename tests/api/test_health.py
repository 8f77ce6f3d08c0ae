"""/healthz says that the process lives, /readyz whether it can work, and why not."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from batchanator.app.serving import Serving
from tests.api.client import DEADLINE, Client, make_serving, served, until
from tests.contract.world import World
from tests.postgres import PostgresServer


async def test_health_answers_before_the_database_is_there(database_url: str, tmp_path: Path) -> None:
    async with served(database_url, tmp_path, opened=False) as client:
        assert (await client.get("/healthz")).json == {"status": "ok"}
        ready = await client.get("/readyz")
        assert (ready.status, ready.problem) == (503, "not-ready")
        assert ready.json["detail"] == "The database is not open yet."
        for path in ("/jobs", "/jobs/1", "/handlers"):
            answer = await client.get(path)
            assert (answer.status, answer.problem) == (503, "unavailable")
            assert int(answer.headers["Retry-After"]) > 0
        answer = await client.post("/jobs/echo/trigger/items", {"items": [{}]})
        assert (answer.status, answer.problem) == (503, "unavailable")
        assert (await client.get("/nope")).status == 404
        await client.serving.open()
        assert (await client.get("/readyz")).status == 200
        assert (await client.get("/jobs")).json["data"] == []


async def test_ready_names_what_it_runs_on(live: Client) -> None:
    ready = await live.get("/readyz")
    checks = ready.json["checks"]
    assert (ready.status, ready.json["status"], checks["schema"]) == (200, "ready", "up to date")
    lease = live.serving.runtime.lease
    assert lease is not None
    assert checks["worker"] == f"lease held by {lease.incarnation}"
    database = checks["database"]
    assert database == "PostgreSQL" or database.startswith("SQLite 3.")
    assert database == "PostgreSQL" or database.endswith(("journal wal", "journal delete"))


async def test_settles_that_came_too_late_are_shown_and_are_no_reason_not_to_be_ready(live: Client) -> None:
    worker = live.serving.runtime.worker
    assert worker is not None
    assert "settles" not in (await live.get("/readyz")).json["checks"]
    worker.dispatcher.settler.stale_settles += 2
    ready = await live.get("/readyz")
    assert (ready.status, ready.json["checks"]["settles"][:2]) == (200, "2 ")


async def test_not_ready_without_the_lease_or_with_another_schema(live: Client, monkeypatch) -> None:
    lease = live.serving.runtime.lease
    assert lease is not None
    incarnation, lease.incarnation = lease.incarnation, None
    ready = await live.get("/readyz")
    assert (ready.status, ready.json["detail"]) == (503, "worker: the lease was lost")
    lease.incarnation = incarnation
    world = World(live.serving.runtime.store, "")
    await world.fetch("UPDATE schema_migrations SET checksum = 'x' || checksum")
    ready = await live.get("/readyz")
    assert ready.json["detail"] == "schema: not the one of this program"
    assert (await live.get("/healthz")).status == 200
    await world.fetch("UPDATE schema_migrations SET checksum = substr(checksum, 2)")
    assert (await live.get("/readyz")).status == 200


async def test_an_outage_of_the_database_is_a_503_and_ends(
    postgres18: PostgresServer, tmp_path: Path
) -> None:
    url = postgres18.create_database()
    async with served(url, tmp_path) as client:
        job_id = await client.items({})
        await client.ended(job_id)
        postgres18.stop()
        try:
            for path in (f"/jobs/{job_id}", "/jobs", f"/jobs/{job_id}/items/1", f"/jobs/{job_id}/results"):
                answer = await client.get(path)
                assert (answer.status, answer.problem) == (503, "unavailable")
                assert b"127.0.0.1" not in answer.body
            answer = await client.post(
                "/jobs/echo/trigger/items", {"items": [{"idempotencyKey": "x", "payload": {}}]}
            )
            assert (answer.status, answer.problem) == (503, "unavailable")
            ready = await client.get("/readyz")
            assert (ready.status, ready.problem) == (503, "not-ready")
            assert ready.json["detail"].startswith("database: PostgreSQL, cannot be reached")
            assert (await client.get("/healthz")).status == 200
        finally:
            postgres18.start()

        async def works() -> bool:
            return (await client.get("/readyz")).status == 200

        await until(works)
        await client.ended(await client.items({}, prefix="after"))
    postgres18.drop_database(url)


@pytest.fixture
async def without_database(postgres18: PostgresServer, tmp_path: Path):
    url = postgres18.create_database()
    postgres18.stop()
    serving = make_serving(url, tmp_path)
    try:
        yield serving
    finally:
        postgres18.start()
        await serving.stop()
        postgres18.drop_database(url)


async def test_a_database_that_comes_later_is_found(
    without_database: Serving, postgres18: PostgresServer
) -> None:
    address = (await without_database.listen())[0]
    opening = asyncio.create_task(without_database.open())
    async with aiohttp.ClientSession() as session:
        client = Client(without_database, str(address), session, None)
        assert (await client.get("/readyz")).status == 503
        assert (await client.get("/healthz")).status == 200
        postgres18.start()
        async with asyncio.timeout(DEADLINE):
            await opening
        assert (await client.get("/readyz")).status == 200
        await client.ended(await client.items({}))
