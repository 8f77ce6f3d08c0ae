"""More than there is room for is told to come again, and health is answered all the same."""

import asyncio
from functools import partial
from pathlib import Path

from batchanator.api.service import Limits
from batchanator.app import serving
from tests.api.client import QUIET, served, until


async def test_too_many_requests_at_once_are_told_to_come_again(
    sqlite_url: str, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(serving, "Limits", partial(Limits, max_running=2))
    async with served(sqlite_url, tmp_path, parts=QUIET, shutdown_grace_seconds=0) as client:
        body = {"jobType": "echo", "idempotencyKey": "k", "payload": {"does": "hang"}}

        async def hang() -> None:
            async def taken() -> bool:
                return (await client.post("/process", body)).status != 503

            await until(taken)

        hanging = [asyncio.create_task(hang()) for _ in range(2)]

        async def full() -> bool:
            return (await client.get("/jobs")).status == 503

        await until(full)
        answer = await client.get("/jobs")
        assert (answer.problem, answer.headers["Retry-After"]) == ("overloaded", "1")
        assert (await client.get("/healthz")).status == 200
        assert (await client.get("/readyz")).status == 200
        for task in hanging:
            task.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)


async def test_bodies_are_held_within_a_bound_and_give_their_room_back(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with served(sqlite_url, tmp_path, parts=QUIET, max_request_bytes=100_000) as client:
        path, room = "/jobs/echo/trigger/items", b'{"items":[]}'.ljust(100_000)
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n".encode()
        writers = []
        total = Limits(max_bytes=100_000).bodies // 100_000
        for _ in range(total):
            _, writer = await asyncio.open_connection("127.0.0.1", client.port)
            writer.write(head)
            writers.append(writer)

        async def full() -> bool:
            return (await client.post(path, room)).status == 503

        await until(full)
        assert (await client.post(path, room)).problem == "overloaded"
        for writer in writers:
            writer.close()

        async def free() -> bool:
            return (await client.post(path, room)).problem == "no-items"

        await until(free)


async def test_readers_do_not_keep_work_from_being_done(database_url: str, tmp_path: Path) -> None:
    async with served(database_url, tmp_path, shutdown_grace_seconds=0.1) as client:
        job_id = await client.items(*[{"value": n} for n in range(200)])
        await client.ended(job_id)
        reading = [asyncio.create_task(client.get(f"/jobs/{job_id}/results")) for _ in range(40)]
        await client.ended(await client.items({}, prefix="more"))
        answers = await asyncio.gather(*reading)
        assert {answer.status for answer in answers} == {200}
        assert {len(answer.lines) for answer in answers} == {200}
