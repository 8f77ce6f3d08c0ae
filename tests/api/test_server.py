"""Slow, silent, broken and too many clients: each is bounded, and the others are served."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import structlog
from aiohttp import http_parser

from batchanator.api import answers, bodies, results, server
from tests.api.client import QUIET, Client, served, until
from tests.contract.world import entries


@pytest.fixture
async def here(sqlite_url: str, tmp_path: Path):
    async with served(sqlite_url, tmp_path, parts=QUIET) as client:
        yield client


@asynccontextmanager
async def raw(client: Client, sent: bytes) -> AsyncIterator[asyncio.StreamReader]:
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(sent)
    await writer.drain()
    try:
        yield reader
    finally:
        writer.close()


async def heard(client: Client, sent: bytes) -> bytes:
    """Return all that comes back until the server closes."""
    async with raw(client, sent) as reader, asyncio.timeout(20):
        return await reader.read()


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /jobs HTTP/1.1\r\nHost: localhost\r\nBad Header: x\r\n\r\n",
        b"GET /jobs HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
        b"POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
        b"POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"GET /jobs HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        b"POST /jobs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
        b"GET /jobs HTTP/1.1\r\nHost: localhost\r\nX: a\nY: b\r\n\r\n",
        b"GET /jobs HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
    ],
)
async def test_what_is_no_http_is_a_problem_without_a_version(here: Client, sent: bytes) -> None:
    answer = await heard(here, sent)
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
    assert b"application/problem+json" in answer
    assert b"urn:batchanator:problem:bad-request" in answer
    assert b"Server: batchanator\r\n" in answer
    assert b"aiohttp" not in answer
    assert b"Python" not in answer


def test_the_parser_in_c_is_there() -> None:
    """The one in Python has let smuggled requests through before."""
    assert http_parser.HttpRequestParser.__module__ == "aiohttp._http_parser"


async def test_silent_headers_and_idle_connections_end(sqlite_url: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(server, "KEEPALIVE_SECONDS", 0.2)
    async with served(sqlite_url, tmp_path, parts=QUIET) as client:
        assert await heard(client, b"GET /jobs HTTP/1.1\r\nHost") == b""
        assert await heard(client, b"") == b""
        answer = await heard(client, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 ")


async def test_headers_that_drip_end_too(sqlite_url: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(server, "KEEPALIVE_SECONDS", 0.5)
    async with served(sqlite_url, tmp_path, parts=QUIET) as client:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(b"GET /jobs HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")

        async def drip() -> None:
            while not writer.is_closing():
                writer.write(b"x")
                await asyncio.sleep(0.01)

        dripping = asyncio.create_task(drip())
        async with asyncio.timeout(20):
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
        dripping.cancel()
        writer.close()


async def test_the_others_are_served_while_one_is_slow(here: Client) -> None:
    slow = b"POST /process HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"
    async with contextlib.AsyncExitStack() as stack:
        for sent in [slow, b"GET /jo"] * 100:
            await stack.enter_async_context(raw(here, sent))
        assert (await here.get("/jobs")).status == 200
        assert (await here.get("/readyz")).status == 200


async def test_a_parser_in_python_is_told(sqlite_url: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(server, "HttpRequestParser", http_parser.HttpRequestParserPy)
    with structlog.testing.capture_logs() as logs:
        async with served(sqlite_url, tmp_path, parts=QUIET, opened=False):
            pass
    assert "server.parser_in_python" in [line["event"] for line in logs]


async def test_a_silent_body_ends_with_a_408(here: Client, monkeypatch) -> None:
    monkeypatch.setattr(bodies, "SILENCE_SECONDS", 0.1)
    monkeypatch.setattr(server, "LINGER_SECONDS", 0.1)
    head = b"POST /process HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"
    async with raw(here, head) as reader, asyncio.timeout(20):
        assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")


async def test_a_body_that_drips_ends_too(here: Client, monkeypatch) -> None:
    monkeypatch.setattr(bodies, "WHOLE_SECONDS", 0.3)
    reader, writer = await asyncio.open_connection("127.0.0.1", here.port)
    writer.write(b"POST /process HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n")

    async def drip() -> None:
        while True:
            writer.write(b" ")
            await asyncio.sleep(0.01)

    dripping = asyncio.create_task(drip())
    async with asyncio.timeout(20):
        assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")
    dripping.cancel()
    writer.close()


async def test_a_reader_that_does_not_read_loses_its_connection(here: Client, monkeypatch) -> None:
    for module in (answers, results):
        monkeypatch.setattr(module, "SEND_SECONDS", 0.3)
    payload = json.dumps("x" * 500_000)
    job_id = await here.world.job(entries([f"k{n}" for n in range(60)], payload))
    request = f"GET /jobs/{job_id}/results HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", here.port, limit=1024)
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    writer.write(request)

    async def connected() -> bool:
        made = here.serving.runner.server
        assert made is not None
        return bool(made.connections)

    async def cut() -> bool:
        return not await connected()

    await until(connected)
    await until(cut)
    writer.close()
    del reader


async def test_a_client_that_leaves_does_not_undo_its_request(here: Client) -> None:
    body = b'{"items":[{"idempotencyKey":"a","payload":{}}]}'
    head = f"POST /jobs/echo/trigger/items HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    async with raw(here, head + body):
        pass

    async def stored() -> bool:
        return bool((await here.get("/jobs")).json["data"])

    await until(stored)


async def test_more_connections_than_there_is_room_for_are_closed(here: Client, monkeypatch) -> None:
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 3)
    async with raw(here, b""), raw(here, b""), raw(here, b""):
        assert await heard(here, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n") == b""


async def test_one_address_does_not_take_the_room_of_all(here: Client, monkeypatch) -> None:
    monkeypatch.setattr(server, "MAX_OF_ADDRESS", 2)
    asked = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    async with raw(here, b""), raw(here, b""):
        assert await heard(here, asked) == b""
        there, back = await asyncio.open_connection("127.0.0.1", here.port, local_addr=("127.0.0.2", 0))
        back.write(asked)
        assert (await there.readline()).startswith(b"HTTP/1.1 200 ")
        back.close()

    async def room() -> bool:
        return (await heard(here, asked)).startswith(b"HTTP/1.1 200 ")

    assert await until(room)
    made = here.serving.runner.server
    assert isinstance(made, server._Server)

    async def forgotten() -> bool:
        return not made.of_address

    await until(forgotten)
