"""Options of a new job, and the limits of a request."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tests.api.client import QUIET, Client, served

ITEM = {"idempotencyKey": "a", "payload": {}}


async def stored_options(client: Client, job_id: int) -> dict[str, object]:
    row = await client.world.one("SELECT options FROM jobs WHERE id = :job_id", job_id=job_id)
    options: dict[str, object] = json.loads(row["options"])
    return options


async def test_options_are_those_given_else_those_configured(database_url: str, tmp_path: Path) -> None:
    async with served(database_url, tmp_path, parts=QUIET, strict=True, on_duplicate="never") as client:
        given = {"onDuplicate": "redrive", "priority": 7, "maxConcurrency": 2, "sliceSize": 5}
        first = await client.items({}, options=given)
        second = await client.items({}, options={"strict": None})
        assert await stored_options(client, first) == {
            "on_duplicate": "redrive",
            "strict": True,
            "priority": 7,
            "max_concurrency": 2,
            "slice_size": 5,
        }
        left = {"on_duplicate": "never", "strict": True, "priority": 0}
        assert await stored_options(client, second) == left


WRONG = (
    ({"onduplicate": "skip"}, "/options/onduplicate"),
    ({"onDuplicate": "perhaps"}, "/options/onDuplicate"),
    ({"strict": "yes"}, "/options/strict"),
    ({"priority": 10**7}, "/options/priority"),
    ({"priority": 1.5}, "/options/priority"),
    ({"maxConcurrency": 0}, "/options/maxConcurrency"),
    ({"sliceSize": 10**5}, "/options/sliceSize"),
    (5, "/options"),
)


async def test_a_wrong_option_is_named_by_its_place(quiet: Client) -> None:
    for options, pointer in WRONG:
        answer = await quiet.post("/jobs/echo/trigger/items", {"items": [ITEM], "options": options})
        assert (answer.status, answer.problem) == (422, "invalid-request")
        assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


async def test_the_limits_of_a_request_are_exact(sqlite_url: str, tmp_path: Path) -> None:
    limits: dict[str, Any] = {"max_items_per_request": 3, "max_request_bytes": 2000, "max_line_bytes": 100}
    async with served(sqlite_url, tmp_path, parts=QUIET, **limits) as client:
        path = "/jobs/echo/trigger/items"
        assert (await client.post(path, {"items": [ITEM] * 3})).status == 202
        answer = await client.post(path, {"items": [ITEM] * 4})
        assert (answer.status, answer.problem) == (422, "too-many-items")
        padded = json.dumps({"items": [ITEM]}).encode()
        assert (await client.post(path, padded.ljust(2000))).status == 202
        answer = await client.post(path, padded.ljust(2001))
        assert (answer.status, answer.problem) == (413, "too-large")

        async def unannounced() -> AsyncIterator[bytes]:
            yield padded
            yield b" " * 4000

        answer = await client.ask("POST", path, data=unannounced())
        assert (answer.status, answer.problem) == (413, "too-large")
        long = {"idempotencyKey": "long", "payload": "x" * 99}
        answer = await client.post(path, {"items": [long]})
        assert answer.json["rejected"] == 1
        reject = await client.get(f"/jobs/{answer.json['jobId']}/rejects")
        assert reject.json["data"][0]["code"] == "too_long"
        assert (await client.get("/jobs")).status == 200
