"""Uploads: committed as they arrive, answered when sealed; what breaks off is a failed source, never a sealed job."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import zstandard

from batchanator.domain.errors import ConflictError
from batchanator.domain.submission import JobOptions, Request
from tests.api.client import Client, served, until

UPLOAD = "/jobs/echo/trigger/upload"


def body(*keys: object) -> bytes:
    return b"".join(json.dumps({"idempotency_key": str(key)}).encode() + b"\n" for key in keys)


async def raw(client: Client) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", client.port)


def head(path: str = UPLOAD, **headers: object) -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


async def answer_of(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], Any]:
    status = int((await reader.readline()).split()[1])
    headers: dict[str, str] = {}
    while line := (await reader.readline()).strip():
        name, _, value = line.decode().partition(": ")
        headers[name.lower()] = value
    told = await reader.readexactly(int(headers.get("content-length", 0)))
    return status, headers, json.loads(told) if told else None


async def test_a_body_becomes_a_job_that_is_sealed_when_it_is_answered(live: Client) -> None:
    sent = body(*range(25), 3) + b"oops\n"
    answer = await live.post(f"{UPLOAD}?jobName=mine&priority=3", sent)
    assert (answer.status, answer.json["accepted"], answer.json["duplicates"], answer.json["rejected"]) == (
        202,
        25,
        1,
        1,
    )
    job = await live.ended(answer.json["jobId"])
    assert answer.headers["Location"] == f"/jobs/{job['id']}"
    assert (job["name"], job["priority"], job["source"]["kind"], job["counts"]["succeeded"]) == (
        "mine",
        3,
        "upload",
        25,
    )
    assert job["source"]["bytesRead"] == job["source"]["bytesTotal"] == len(sent)


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])
async def test_a_compressed_body_is_taken_whatever_its_headers_say(live: Client, pack: Any) -> None:
    for number, headers in enumerate(
        ({}, {"Content-Encoding": "gzip"}, {"Content-Type": "application/gzip"})
    ):
        answer = await live.post(
            UPLOAD, pack(body(*(f"{number}-{key}" for key in range(30)))), headers=headers
        )
        assert (answer.status, answer.json["accepted"]) == (202, 30)


async def test_nothing_at_all_is_a_completed_job(live: Client) -> None:
    answer = await live.post(UPLOAD, b"")
    assert (answer.status, (await live.ended(answer.json["jobId"]))["status"]) == (202, "completed")


async def test_work_begins_while_the_body_still_arrives(live: Client) -> None:
    go_on = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield body(*range(40))
        await go_on.wait()
        yield body("last")

    sending = asyncio.ensure_future(live.ask("POST", UPLOAD, data=pieces()))

    async def some_done() -> bool:
        jobs = (await live.get("/jobs")).json["data"]
        return bool(jobs) and jobs[0]["counts"]["succeeded"] >= 10

    await until(some_done)
    assert not sending.done()
    go_on.set()
    answer = await sending
    assert (answer.status, answer.json["accepted"]) == (202, 41)


async def test_a_body_that_breaks_off_is_a_failed_job_with_what_was_accepted(live: Client) -> None:
    reader, writer = await raw(live)
    writer.write(head(Content_Length=100_000, Idempotency_Key="mine") + body(*range(25)))
    await writer.drain()

    async def some_there() -> bool:
        jobs = (await live.get("/jobs")).json["data"]
        return bool(jobs) and jobs[0]["source"]["accepted"] >= 10

    await until(some_there)
    writer.close()
    job = await live.ended(1)
    assert (job["status"], job["statusReasonCode"], job["source"]["lines"] >= 10) == (
        "failed",
        "source_broken_off",
        True,
    )
    again = await live.post(UPLOAD, body(*range(25)), headers={"Idempotency-Key": "mine"})
    assert (again.status, again.json["jobId"]) == (202, 2), "the key is free again"
    assert (await live.ended(2))["status"] == "completed"
    del reader


async def test_a_source_that_is_damaged_is_told_and_its_job_has_failed(live: Client) -> None:
    cut = gzip.compress(body(*range(30)))[:-5]
    for sent, code in ((cut, "source_cut"), (b"[1, 2]\n", "source_json_array")):
        answer = await live.post(UPLOAD, sent, headers={"Idempotency-Key": code})
        assert (answer.status, answer.json["type"], answer.json["code"]) == (
            422,
            "urn:batchanator:problem:source-failed",
            code,
        )
        job = await live.ended(answer.json["jobId"])
        assert (job["status"], job["statusReasonCode"]) == ("failed", code)


async def test_the_same_request_is_the_same_job_and_another_body_is_refused(live: Client) -> None:
    key = {"Idempotency-Key": "once"}
    first = await live.post(UPLOAD, body(1, 2), headers=key)
    again = await live.post(UPLOAD, body(1, 2), headers=key)
    assert (again.status, again.json["jobId"]) == (202, first.json["jobId"])
    assert again.headers["Idempotency-Replayed"] == "true"
    for path, sent in (
        (UPLOAD, body(1)),
        (f"{UPLOAD}?strict=true", body(1, 2)),
        ("/jobs/echo/trigger/items", b"{}"),
    ):
        other = await live.ask("POST", path, data=sent, headers=key)
        assert other.status == 422, path
    assert len((await live.get("/jobs")).json["data"]) == 1


async def test_a_second_request_with_the_key_of_one_that_runs_is_asked_to_come_again(live: Client) -> None:
    go_on = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield body(1)
        await go_on.wait()

    key = {"Idempotency-Key": "slow"}
    sending = asyncio.ensure_future(live.ask("POST", UPLOAD, data=pieces(), headers=key))

    async def there() -> bool:
        return bool((await live.get("/jobs")).json["data"])

    await until(there)
    second = await live.post(UPLOAD, body(1), headers=key)
    assert (second.status, second.headers["Retry-After"]) == (409, "1")
    go_on.set()
    first = await sending
    third = await live.post(UPLOAD, body(1), headers=key)
    assert (third.status, third.json["jobId"]) == (202, first.json["jobId"])


async def test_a_key_does_not_stick_to_a_job_that_was_cancelled_while_it_was_sent(live: Client) -> None:
    key = {"Idempotency-Key": "stopped"}
    go_on = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield body(1)
        await go_on.wait()
        yield body(*range(2, 40))

    sending = asyncio.ensure_future(live.ask("POST", UPLOAD, data=pieces(), headers=key))

    async def there() -> bool:
        return bool((await live.get("/jobs")).json["data"])

    await until(there)
    assert (await live.post("/jobs/1/cancel")).status == 200
    go_on.set()
    assert (await sending).status in {409, 422}
    again = await live.post(UPLOAD, body(1), headers=key)
    assert (again.status, again.json["jobId"]) == (202, 2)


async def test_a_key_does_not_stick_to_a_job_that_was_cancelled_before_its_seal(live: Client) -> None:
    pieces = [body(1)]

    async def pull() -> bytes:
        if pieces:
            return pieces.pop()
        if (await live.get("/jobs/1")).json["source"]["accepted"]:  # all is written but the seal
            await live.post("/jobs/1/cancel")
        return b""

    uploader = live.serving.runtime.uploader
    request = Request("late", "its head")
    with pytest.raises(ConflictError):
        await uploader.upload("echo", pull, name=None, options=JobOptions(), request=request, size=None)
    assert (await live.get("/jobs/1")).json["statusReasonCode"] != "source_broken_off"
    pieces.append(body(1))
    again = await uploader.upload("echo", pull, name=None, options=JobOptions(), request=request, size=None)
    assert (again.job_id, again.replayed) == (2, False)


async def test_a_client_that_sends_no_more_hears_at_once_that_its_job_was_stopped(live: Client) -> None:
    reader, writer = await raw(live)
    writer.write(head(Content_Length=100_000) + body(*range(25)))

    async def there() -> bool:
        jobs = (await live.get("/jobs")).json["data"]
        return bool(jobs) and jobs[0]["source"]["accepted"] >= 10

    await until(there)
    assert (await live.post("/jobs/1/cancel")).status == 200
    writer.write(body(*range(25, 60)))  # the next portion is refused, and the rest never comes
    async with asyncio.timeout(20):
        status, _, _ = await answer_of(reader)
    assert status == 409
    writer.close()


async def test_an_upload_of_a_process_that_died_is_ended_by_another_and_its_key_is_free(
    database_url: str, tmp_path: Path
) -> None:
    async with served(database_url, tmp_path, chunk_size=2) as client:
        kinds = await client.serving.runtime.store.job_types.list()
        columns = {
            "job_type_id": kinds[0]["id"],
            "name": "lost",
            "priority": 0,
            "max_concurrency": None,
            "rate": None,
        }
        columns |= {"options": "{}", "source_kind": "upload", "source_name": "lost", "source": "{}"}
        columns |= {"source_size": None, "request_key": "lost", "request_fingerprint": "f:"}
        store = client.serving.runtime.store
        dead = "00000000-dead"
        await store.workers.register(
            worker=dead, lease=client.serving.settings.lease, host="gone", pid=1, roles="ingest"
        )
        async with store.transaction() as tx:  # as an upload begins: never there without its reader
            job = await tx.jobs.create(**columns)
            assert await tx.jobs.take_ingestion(job_id=job, worker=dead) is not None
        await store.workers.expire(worker=dead)
        client.serving.runtime.wakeups.sources.set()
        ended = await client.ended(job)
        assert (ended["status"], ended["statusReasonCode"]) == ("failed", "source_broken_off")
        assert await store.jobs.by_request("lost") is None


async def test_a_refused_upload_leaves_the_connection_usable(live: Client) -> None:
    reader, writer = await raw(live)
    sent = b"x" * 200_000
    writer.write(head("/jobs/unknown/trigger/upload", Content_Length=len(sent)) + sent)
    status, _, told = await answer_of(reader)
    assert (status, told["type"]) == (422, "urn:batchanator:problem:unknown-job-type")
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (await answer_of(reader))[0] == 200
    writer.close()


async def test_a_client_that_waits_is_told_to_go_on_only_where_its_body_is_wanted(live: Client) -> None:
    reader, writer = await raw(live)
    sent = body(1, 2)
    writer.write(head(Content_Length=len(sent), Expect="100-continue"))
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(sent)
    status, _, told = await answer_of(reader)
    assert (status, told["accepted"]) == (202, 2)
    writer.write(head("/jobs/unknown/trigger/upload", Content_Length=len(sent), Expect="100-continue"))
    status, headers, _ = await answer_of(reader)
    assert (status, headers["connection"]) == (422, "close")
    assert await reader.read() == b""
    writer.close()


async def test_what_is_no_upload_is_refused_before_a_byte_is_read(live: Client) -> None:
    for path, headers, status in (
        (UPLOAD, {"Content-Encoding": "br"}, 415),
        (UPLOAD, {"Content-Type": "multipart/form-data; boundary=x"}, 415),
        (f"{UPLOAD}?priority=high", {}, 422),
        (f"{UPLOAD}?unknown=1", {}, 422),
        (f"{UPLOAD}?strict=maybe", {}, 422),
        ("/jobs/nobody/trigger/upload", {}, 422),
    ):
        answer = await live.post(path, body(1), headers=headers)
        assert answer.status == status, (path, headers, answer)
    assert (await live.get("/jobs")).json["data"] == []


async def test_a_strict_upload_with_a_reject_fails_with_nothing_run(live: Client) -> None:
    answer = await live.post(f"{UPLOAD}?strict=true", body(*range(30)) + b"oops\n")
    job = await live.ended(answer.json["jobId"])
    assert (job["status"], job["statusReasonCode"], job["counts"]["succeeded"]) == (
        "failed",
        "strict_rejects",
        0,
    )
