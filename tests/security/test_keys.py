"""Keys: how they are sent, compared, changed, and what is remembered of them."""

import hmac
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from batchanator.api import attempts
from batchanator.api.attempts import FailedAttempts
from batchanator.app.parts import Parts
from tests.api.client import Client
from tests.contract.world import entries
from tests.security.keys import bearing, key_of, keyed, section


@pytest.fixture
async def guarded(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Client]:
    async with keyed(sqlite_url, tmp_path) as client:
        yield client


@pytest.mark.parametrize(
    "sent",
    [
        "{key}",
        "Basic {key}",
        "Bearer",
        "Bearer ",
        "Bearer {key}x",
        "Bearer {short}",
        "Bearer {digest}",
        "Bearer {key},{key}",
        "Bearer \udcff\udcfe",
        "Bearer " + "x" * 7000,
    ],
)
async def test_what_is_not_the_key_is_refused(guarded: Client, sent: str) -> None:
    key = key_of("admin")
    digest = section("admin")["Sha256"]
    value = sent.replace("{key}", key).replace("{short}", key[:-1]).replace("{digest}", digest)
    answer = await guarded.get("/jobs", headers={"Authorization": value})
    assert (answer.status, answer.problem) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


async def test_a_key_is_sent_in_its_header_and_nowhere_else(guarded: Client) -> None:
    key = key_of("admin")
    assert (await guarded.get("/jobs", headers={"Authorization": f"bearer  {key}"})).status == 200
    for name in ("key", "api_key", "access_token", "Authorization"):
        assert (await guarded.get(f"/jobs?{name}={key}")).status == 401
    two = [("Authorization", f"Bearer {key}"), ("Authorization", f"Bearer {key}")]
    assert (await guarded.get("/jobs", headers=two)).status in {400, 401}
    assert (await guarded.get("/jobs", headers={"Cookie": f"Authorization=Bearer {key}"})).status == 401


async def test_a_key_is_compared_with_all_there_are_in_constant_time(guarded: Client, monkeypatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    compare = hmac.compare_digest

    def spy(known: bytes, sent: bytes) -> bool:
        compared.append((known, sent))
        return compare(known, sent)

    monkeypatch.setattr(hmac, "compare_digest", spy)
    for name in ("read", "admin", "nobody"):
        compared.clear()
        await guarded.get("/jobs", headers=bearing(name))
        assert len({known for known, _ in compared}) == len(compared) == 5
        assert {len(digest) for pair in compared for digest in pair} == {32}


async def test_two_keys_of_one_name_are_one_caller(sqlite_url: str, tmp_path: Path) -> None:
    old, new = section("ops", "operate", key=key_of("old")), section("ops", "operate", key=key_of("new"))
    async with keyed(sqlite_url, tmp_path, old, new, section("ci", "submit")) as client:
        job = await client.world.job(entries(["a"]))
        assert (await client.post(f"/jobs/{job}/pause", headers=bearing("old"))).status == 200
        assert (await client.post(f"/jobs/{job}/resume", headers=bearing("new"))).status == 200
        done = (await client.get("/actions", headers=bearing("new"))).json["data"]
        assert [(one["action"], one["actor"]) for one in done] == [("resume", "ops"), ("pause", "ops")]
        await client.post(f"/jobs/{job}/cancel", headers=bearing("new"))
        assert (await client.get(f"/jobs/{job}", headers=bearing("old"))).json[
            "statusReason"
        ] == "cancelled by ops"


@pytest.mark.parametrize("way", ["items", "upload"])
async def test_two_clients_may_use_one_idempotency_key(database_url: str, tmp_path: Path, way: str) -> None:
    sections = (section("one", "submit"), section("two", "submit"), section("three", "read"))
    async with keyed(database_url, tmp_path, *sections, parts=Parts(dispatch=False)) as client:
        answers = []
        for name in ("one", "two", "one", "two"):
            if way == "items":
                body: Any = {"items": [{"idempotencyKey": name, "payload": {}}]}
            else:
                body = json.dumps({"idempotency_key": name}).encode()
            headers = {**bearing(name), "Idempotency-Key": "the same"}
            headers |= {} if way == "items" else {"Content-Type": "application/x-ndjson"}
            answers.append(await client.post(f"/jobs/echo/trigger/{way}", body, headers=headers))
        assert [answer.status for answer in answers] == [202] * 4, answers
        ids = [answer.json["jobId"] for answer in answers]
        assert (ids[0], ids[1]) == (ids[2], ids[3])
        assert ids[0] != ids[1]
        assert [answer.headers.get("Idempotency-Replayed") for answer in answers] == [
            None,
            None,
            "true",
            "true",
        ]


async def test_too_many_wrong_keys_are_told_to_wait_and_a_right_one_is_not(guarded: Client) -> None:
    for _ in range(attempts.MOST):
        assert (await guarded.get("/jobs", headers=bearing("nobody"))).status == 401
    answer = await guarded.get("/jobs", headers=bearing("nobody"))
    assert (answer.status, answer.problem) == (429, "too-many-attempts")
    assert 1 <= int(answer.headers["Retry-After"]) <= attempts.WINDOW_SECONDS
    assert (await guarded.get("/jobs", headers=bearing("read"))).status == 200
    assert (await guarded.get("/jobs")).status == 401
    assert (await guarded.get("/readyz", headers=bearing("nobody"))).json.keys() == {"status"}


async def test_log_lines_name_the_caller_and_hold_what_a_stranger_sends_on_one_line(
    logged: Callable[[], str], sqlite_url: str, tmp_path: Path
) -> None:
    async with keyed(sqlite_url, tmp_path) as client:
        logged()
        items = {"items": [{"idempotencyKey": "a", "payload": {}}]}
        await client.post("/jobs/echo/trigger/items", items, headers=bearing("submit"))
        for _ in range(3 * attempts.MOST):
            await client.get("/%0a%1b%5b2J%e2%80%ae" + "x" * 5000, headers=bearing("nobody"))
        lines = [json.loads(line) for line in logged().splitlines()]
    assert [line["caller"] for line in lines if line["event"] == "job.submitted"] == ["submit"]
    refused = [line for line in lines if line["event"] == "key.refused"]
    assert len(refused) == attempts.MOST  # however many there are
    for line in refused:
        assert line["path"].isprintable()
        assert line["path"].startswith("/\\n\\x1b[2J\\u202exxx")
        assert len(line["path"]) <= 2000


def test_an_address_is_heard_again_when_its_window_is_over() -> None:
    now = 100.0
    failed = FailedAttempts(lambda: now)
    assert [failed.count("10.0.0.1") for _ in range(attempts.MOST)] == [None] * attempts.MOST
    now += 20
    assert failed.count("10.0.0.1") == attempts.WINDOW_SECONDS - 20
    assert failed.count("10.0.0.2") is None
    now = 100.0 + attempts.WINDOW_SECONDS
    assert failed.count("10.0.0.1") is None


def test_a_64_of_ipv6_is_one_address_and_an_embedded_ipv4_its_own() -> None:
    failed = FailedAttempts(lambda: 0.0)
    for n in range(attempts.MOST):
        assert failed.count(f"2001:db8:0:1::{n:x}") is None
    assert failed.count("2001:db8:0:1:ffff::1") is not None
    assert failed.count("2001:db8:0:2::1") is None
    for n in range(attempts.MOST + 1):
        assert failed.count(f"::ffff:10.0.0.{n}") is None


def test_any_number_of_addresses_takes_bounded_room() -> None:
    failed = FailedAttempts(lambda: 0.0)
    for n in range(3 * attempts.MOST_ADDRESSES):
        failed.count(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}")
    failed.count(None)
    failed.count("nonsense")
    assert len(failed) == attempts.MOST_ADDRESSES
