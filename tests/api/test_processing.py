"""POST /process runs a handler here and now: whatever it does is an answer."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from batchanator.api.processing import outcome_json
from batchanator.domain.outcomes import Failed
from tests.api import handlers
from tests.api.client import QUIET, Client, served, until

KEYS = {"success", "result", "error", "code", "permanent", "retryAfter", "skipped"}


@pytest.fixture
async def here(sqlite_url: str, tmp_path: Path):
    async with served(sqlite_url, tmp_path, parts=QUIET) as client:
        yield client


async def process(client: Client, payload: Any, job_type: str = "echo", **more: Any) -> dict[str, Any]:
    body = {"jobType": job_type, "idempotencyKey": "k", "payload": payload, **more}
    answer = await client.post("/process", body)
    assert (answer.status, answer.json.keys()) == (200, KEYS)
    return {name: value for name, value in answer.json.items() if value is not None and name != "permanent"}


async def test_what_a_handler_does_is_the_answer(here: Client) -> None:
    assert await process(here, {"value": {"a": [1]}}) == {"success": True, "result": {"a": [1]}}
    assert await process(here, {"does": "skip"}) == {"success": True, "skipped": "not wanted"}
    failed = {"success": False, "error": "it broke", "code": "broken", "retryAfter": 1.5}
    assert await process(here, {"does": "fail"}) == failed
    raised = {"success": False, "error": "ValueError: no", "code": "ValueError"}
    assert await process(here, {"does": "raise", "value": "no"}) == raised
    assert (await process(here, {"does": "cancel"}))["code"] == "CancelledError"
    assert (await process(here, {"does": "bad result"}))["code"] == "invalid_result"
    assert (await process(here, {"does": 5}))["code"] == "invalid_payload"
    assert (await process(here, [1]))["code"] == "invalid_payload"


async def test_only_a_permanent_failure_says_permanent(here: Client) -> None:
    for does, permanent in (("die", True), ("fail", False), ("succeed", False)):
        answer = await here.post(
            "/process", {"jobType": "echo", "idempotencyKey": "k", "payload": {"does": does}}
        )
        assert answer.json["permanent"] is permanent


async def test_an_unknown_type_is_an_answer_with_a_code(here: Client) -> None:
    told = await process(here, {}, "nope")
    assert (told["success"], told["code"]) == (False, "unknown_job_type")
    body = {"jobType": "nope", "items": [{"seq": 1, "idempotencyKey": "k", "payload": 1}]}
    assert (await here.post("/process/batch", body)).json["outcomes"][0]["code"] == "unknown_job_type"


async def test_the_context_is_what_the_request_says(here: Client) -> None:
    told = await process(here, {"does": "context"}, jobId=7, seq=9, attempt=3, fence=12, newer="field")
    assert told["result"] == ["k", 7, 9, 3, 12]
    assert (await process(here, {"does": "context"}))["result"] == ["k", 0, 0, 1, 0]


async def test_plain_functions_run_in_threads_and_slices_get_a_list(here: Client) -> None:
    assert (await process(here, {}, "threaded"))["result"].startswith("handler")
    assert (await process(here, {}, "slices", seq=4))["result"] == [1, 4]


async def test_a_batch_has_an_outcome_per_item_in_order(here: Client) -> None:
    payloads: list[Any] = [{"value": 1}, {"does": "die"}, {"does": 5}, {"value": 4}]
    items = [{"seq": n, "idempotencyKey": f"k{n}", "payload": one} for n, one in enumerate(payloads, 10)]
    outcomes = (await here.post("/process/batch", {"jobType": "echo", "items": items})).json["outcomes"]
    assert all(one.keys() == KEYS | {"seq"} for one in outcomes)
    assert [(one["seq"], one["success"], one["code"]) for one in outcomes] == [
        (10, True, None),
        (11, False, "hopeless"),
        (12, False, "invalid_payload"),
        (13, True, None),
    ]
    outcomes = (await here.post("/process/batch", {"jobType": "slices", "items": items})).json["outcomes"]
    assert [one["result"] for one in outcomes] == [[3, 10], [3, 11], None, [3, 13]]
    empty = await here.post("/process/batch", {"jobType": "slices", "items": []})
    assert empty.json == {"outcomes": []}


async def test_a_slice_that_raises_or_answers_short_fails_as_a_whole(here: Client) -> None:
    for does, code in (("raise", "ValueError"), ("short", "invalid_outcome")):
        items = [{"seq": n, "idempotencyKey": f"k{n}", "payload": {"does": does}} for n in (1, 2)]
        outcomes = (await here.post("/process/batch", {"jobType": "slices", "items": items})).json["outcomes"]
        assert [one["code"] for one in outcomes] == [code, code]


async def test_a_handler_that_takes_too_long_has_failed(sqlite_url: str, tmp_path: Path) -> None:
    async with served(sqlite_url, tmp_path, parts=QUIET, lock_timeout_minutes=0.002) as client:
        told = await process(client, {"does": "hang"})
        assert told == {"success": False, "error": "no answer within 0.12 s", "code": "timeout"}
        assert (await process(client, {}))["success"] is True


async def test_a_thread_that_does_not_come_back_is_replaced_and_shown(
    sqlite_url: str, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {"lock_timeout_minutes": 0.002, "max_concurrency_per_worker": 1}
    handlers.released.clear()
    async with served(sqlite_url, tmp_path, parts=QUIET, **settings) as client:
        try:
            for count in (1, 2):
                assert (await process(client, {"does": "hang"}, "threaded"))["code"] == "timeout"
                checks = (await client.get("/readyz")).json["checks"]
                assert checks["threads"] == f"{count} stuck in plain handlers that timed out"
            assert (await process(client, {}, "threaded"))["success"] is True
        finally:
            handlers.released.set()

        async def none_stuck() -> bool:
            return "threads" not in (await client.get("/readyz")).json["checks"]

        await until(none_stuck)


async def test_a_handler_that_takes_no_notice_of_its_end_keeps_nobody_waiting(
    sqlite_url: str, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {"lock_timeout_minutes": 0.002, "max_concurrency_per_worker": 1}
    handlers.released.clear()
    async with served(sqlite_url, tmp_path, parts=QUIET, **settings) as client:
        try:
            assert (await process(client, {"does": "be deaf"}))["code"] == "timeout"
            assert (await process(client, {}))["success"] is True
        finally:
            handlers.released.set()


async def test_what_a_handler_leaves_behind_ends_with_it(here: Client) -> None:
    assert (await process(here, {"does": "leave"}))["success"] is True
    assert await process(here, {"does": "look"}) == {"success": True}
    assert (await process(here, {"does": "exit"}))["code"] == "SystemExit"
    assert (await process(here, {}))["success"] is True


async def test_more_than_the_concurrency_wait_their_turn(sqlite_url: str, tmp_path: Path) -> None:
    async with served(sqlite_url, tmp_path, parts=QUIET, max_concurrency_per_worker=2) as client:
        told = await asyncio.gather(*[process(client, {"value": n}) for n in range(20)])
        assert [one["result"] for one in told] == list(range(20))


@pytest.mark.parametrize(
    ("wait", "seconds"),
    [
        (None, None),
        (True, None),
        (float("nan"), None),
        (float("inf"), 366 * 86400),
        (-1, 0),
        (10**400, 366 * 86400),
    ],
)
def test_a_wait_is_a_bounded_number_of_seconds(wait: Any, seconds: float | None) -> None:
    assert outcome_json(Failed("x", retry_after=wait))["retryAfter"] == seconds
