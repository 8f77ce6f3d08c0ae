"""The serving process: sockets first, both of the seed's ports, and a clean end at SIGTERM."""

import asyncio
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from batchanator.app.ports import ports
from batchanator.domain.errors import SettingsError
from batchanator.settings import load_settings
from tests.api.client import DEADLINE, Client, make_serving
from tests.support.checking import assert_verified

ROOT = Path(__file__).parents[2]


class Child:
    """A process of `python -m batchanator`, by its log."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.events: list[dict[str, Any]] = []

    async def event(self, name: str) -> dict[str, Any]:
        """Return the first event of that name."""
        assert self.process.stderr is not None
        async with asyncio.timeout(DEADLINE):
            while line := await self.process.stderr.readline():
                self.events.append(json.loads(line))
                if self.events[-1]["event"] == name:
                    return self.events[-1]
        raise AssertionError(f"no {name}: {self.events}")

    async def ended(self) -> int:
        async with asyncio.timeout(DEADLINE):
            await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode


@asynccontextmanager
async def started(url: str, folder: Path, **settings: Any) -> AsyncIterator[Child]:
    options = ["--database", url, "--port", "0", "--handlers", "tests.api.handlers", "--log-format", "json"]
    environ = {f"BATCHANATOR_{name.upper()}": str(value) for name, value in settings.items()}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "batchanator",
        "serve",
        *options,
        cwd=folder,
        env={**os.environ, **environ, "PYTHONPATH": str(ROOT)},
        stderr=PIPE,
    )
    try:
        yield Child(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@asynccontextmanager
async def asked(child: Child, folder: Path, url: str) -> AsyncIterator[Client]:
    address = (await child.event("server.listening"))["url"]
    async with aiohttp.ClientSession() as session:
        yield Client(make_serving(url, folder), address, session, None)


@pytest.mark.process
async def test_sigterm_ends_it_cleanly_and_what_ran_is_given_back(database_url: str, tmp_path: Path) -> None:
    async with (
        started(database_url, tmp_path, shutdown_grace_seconds=0.2) as child,
        asked(child, tmp_path, database_url) as client,
    ):
        await child.event("server.ready")
        done = await client.ended(await client.items({"value": 1}))
        assert done["status"] == "completed"
        await client.items({"does": "hang"}, prefix="hangs")
        child.process.send_signal(signal.SIGTERM)
        assert await child.ended() == 0
    await assert_verified(database_url)


@pytest.mark.process
async def test_a_second_signal_ends_it_at_once(sqlite_url: str, tmp_path: Path) -> None:
    async with started(sqlite_url, tmp_path, shutdown_grace_seconds=600) as child:
        async with asked(child, tmp_path, sqlite_url) as client:
            await child.event("server.ready")
            job_id = await client.items({"does": "hang"})
            async with asyncio.timeout(DEADLINE):
                while not (await client.job(job_id))["counts"]["processing"]:
                    pass
        child.process.send_signal(signal.SIGTERM)
        await child.event("server.stopping")
        child.process.send_signal(signal.SIGINT)
        assert await child.ended() == 128 + signal.SIGINT


@pytest.mark.process
async def test_it_ends_cleanly_where_the_database_never_came(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        url = f"postgresql://postgres@127.0.0.1:{nobody.getsockname()[1] - 1}/none"
        async with started(url, tmp_path) as child, asked(child, tmp_path, url) as client:
            await child.event("database.unavailable")
            assert (await client.get("/healthz")).status == 200
            assert (await client.get("/readyz")).status == 503
            child.process.send_signal(signal.SIGTERM)
            assert await child.ended() == 0


async def test_a_port_that_is_taken_is_named_in_one_line(sqlite_url: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        serving = make_serving(sqlite_url, tmp_path)
        serving.settings = serving.settings.model_copy(update={"port": port})
        with pytest.raises(SettingsError, match=f"^Port {port} on 127.0.0.1 cannot be had: .*in use$"):
            await serving.listen()
        await serving.stop()


def test_without_a_port_it_listens_on_both_of_the_seeds(tmp_path: Path) -> None:
    def chosen(**overrides: Any) -> tuple[int, ...]:
        return ports(load_settings(cwd=tmp_path, environ={}, overrides=overrides))

    assert chosen() == (5000, 5001)
    assert chosen(port=8080) == (8080,)
