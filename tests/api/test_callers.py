"""A service that is open to its own machine is not open to pages in its browsers."""

from pathlib import Path

import pytest

from batchanator.api.callers import is_loopback
from tests.api.client import QUIET, served

OWN = ("localhost", "LocalHost:5000", "127.0.0.1", "127.9.9.9:80", "[::1]", "[::1]:5001")
OTHERS = (
    "evil.example",
    "evil.example:5000",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "localhost:80@evil.example",
    "127.0.0.1:80.evil.example",
    "10.0.0.1",
    "0.0.0.0",
    "[::]",
    "[fe80::1]:5000",
    "[::1].evil.example",
    "",
)


@pytest.mark.parametrize("host", OWN)
def test_names_of_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", OTHERS)
def test_every_other_name_is_of_another(host: str) -> None:
    assert not is_loopback(host)


async def test_a_name_that_was_rebound_to_this_machine_reads_and_changes_nothing(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with served(sqlite_url, tmp_path, parts=QUIET) as client:
        for host in ("evil.example", f"evil.example:{client.port}"):
            for method, path in (
                ("GET", "/jobs"),
                ("GET", "/readyz"),
                ("GET", "/healthz"),
                ("GET", "/nope"),
                ("POST", "/jobs/echo/trigger/items"),
                ("OPTIONS", "/jobs"),
            ):
                answer = await client.ask(method, path, headers={"Host": host})
                assert (answer.status, answer.problem) == (421, "misdirected"), (method, path)
        for host in OWN:
            assert (await client.get("/jobs", headers={"Host": host})).status == 200


async def test_who_allows_anybody_is_asked_under_any_name(sqlite_url: str, tmp_path: Path) -> None:
    async with served(sqlite_url, tmp_path, parts=QUIET, allow_anonymous=True) as client:
        assert (await client.get("/jobs", headers={"Host": "batch.example"})).status == 200
