"""`scheduler` sends its `ApiKey` to `api`: with the role `process` it is let in, and without it nothing is lost."""

import json
from pathlib import Path

import pytest

from batchanator.app.parts import API, SCHEDULER
from tests.api.client import served, until
from tests.security.keys import bearing, key_of, keyed, section

KEYS = (section("dispatcher", "process"), section("people", "read", "submit"))


async def test_a_dispatchers_key_runs_handlers_and_does_nothing_else(sqlite_url: str, tmp_path: Path) -> None:
    async with (
        keyed(sqlite_url, tmp_path, *KEYS, parts=API) as api,
        served(
            sqlite_url,
            tmp_path,
            parts=SCHEDULER,
            api_base_url=api.base,
            api_key=key_of("dispatcher"),
            api_keys=json.dumps(KEYS),
            polling_interval_seconds=0.1,
        ) as scheduler,
    ):
        items = {"items": [{"idempotencyKey": f"k{n}", "payload": {"value": n}} for n in range(20)]}
        sent = await scheduler.post("/jobs/echo/trigger/items", items, headers=bearing("people"))
        job = sent.json["jobId"]

        async def ended() -> bool:
            answer = await api.get(f"/jobs/{job}", headers=bearing("people"))
            return bool(answer.json["status"] == "completed")

        await until(ended)
        assert (await api.get(f"/jobs/{job}", headers=bearing("dispatcher"))).status == 403


@pytest.mark.parametrize("key", ["people", "nobody"])
async def test_a_key_that_is_not_let_in_costs_no_attempt_and_readiness_says_so(
    sqlite_url: str, tmp_path: Path, key: str
) -> None:
    async with (
        keyed(sqlite_url, tmp_path, *KEYS, parts=API) as api,
        served(
            sqlite_url,
            tmp_path,
            parts=SCHEDULER,
            api_base_url=api.base,
            api_key=key_of(key),
            polling_interval_seconds=0.1,
            shutdown_grace_seconds=0.1,
        ) as scheduler,
    ):
        job = await scheduler.items({"value": 1})

        async def told() -> bool:
            answer = await scheduler.get("/readyz")
            return "it answered 40" in answer.body.decode()

        await until(told)
        item = (await api.get(f"/jobs/{job}/items/1", headers=bearing("people"))).json
        assert (item["status"] in {"pending", "processing"}, item["attempts"], item["attemptsLog"]) == (
            True,
            0,
            [],
        )
