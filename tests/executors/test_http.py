"""What a target may answer, and what it costs: nothing where the item did not run, no attempt where it may have."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from batchanator.dispatch.executors.messages import wait_asked_for
from batchanator.domain.circuit import CircuitPolicy
from batchanator.domain.outcomes import Failed, Skipped, Succeeded
from tests.executors.running import Bench, api, over_http, until

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
GOOD = {"success": True, "result": 1}


@asynccontextmanager
async def answering(
    answer: Answer, *, whole: bool = False, **options: Any
) -> AsyncIterator[tuple[Bench, list[web.Request]]]:
    """Yield an executor whose target answers every request so, and the requests that came."""
    seen: list[web.Request] = []

    async def noting(request: web.Request) -> web.StreamResponse:
        seen.append(request)
        await request.read()
        return await answer(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", noting)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        async with over_http(f"http://127.0.0.1:{site.port}", whole=whole, **options) as here:
            yield here, seen
    finally:
        await runner.cleanup()


def says(body: Any, status: int = 200, **headers: str) -> Answer:
    async def answer(_request: web.Request) -> web.Response:
        return web.json_response(body, status=status, headers=headers)

    return answer


def outcome(**fields: Any) -> dict[str, Any]:
    return {"success": True, **fields}


async def test_outcomes_of_a_slice_are_told_by_seq_in_any_order() -> None:
    told = [
        outcome(seq=30, skipped="so"),
        outcome(seq=10, result=[1]),
        {"seq": 20, "success": False, "error": "no"},
    ]
    async with answering(says({"outcomes": told}), whole=True) as (here, seen):
        noted, lost = await here.run("succeed", "succeed", "succeed")
    assert lost is None
    assert noted.outcomes == {10: Succeeded([1]), 20: Failed("no"), 30: Skipped("so")}
    body = await seen[0].json()
    assert (seen[0].path, body["jobType"], body["jobId"], body["fence"]) == ("/process/batch", "async", 1, 7)
    item = {"seq": 10, "idempotencyKey": "key-10", "attempt": 1, "payload": {"does": "succeed"}}
    assert body["items"][0] == item


async def test_an_item_without_an_outcome_has_failed_and_foreign_ones_are_nobodys() -> None:
    told = [outcome(seq=10, result=1), outcome(seq=10, result=2), outcome(seq=99)]
    async with answering(says({"outcomes": told}), whole=True) as (here, _):
        noted, lost = await here.run("succeed", "succeed")
    assert lost is None
    missing = Failed("the answer has no outcome for this item", "no_result")
    assert noted.outcomes == {10: Succeeded(1), 20: missing}


async def test_an_item_goes_with_all_that_its_handler_is_to_know(monkeypatch: pytest.MonkeyPatch) -> None:
    for proxy in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(proxy, "http://127.0.0.1:9")
    async with answering(says(GOOD), key="a secret of mine") as (here, seen):
        noted, _ = await here.run("succeed")
    assert noted.outcomes == {10: Succeeded(1)}
    assert seen[0].headers["Authorization"] == "Bearer a secret of mine"
    assert await seen[0].json() == {
        "jobType": "async",
        "idempotencyKey": "key-10",
        "jobId": 1,
        "seq": 10,
        "attempt": 1,
        "fence": 7,
        "payload": {"does": "succeed"},
    }


@pytest.mark.parametrize("status", [301, 307, 401, 403, 404, 405, 421, 429, 501, 503])
@pytest.mark.parametrize("whole", [False, True])
async def test_what_cannot_have_run_goes_back_as_if_it_had_never_started(status: int, whole: bool) -> None:
    async with answering(says({}, status, Location="/elsewhere"), whole=whole) as (here, seen):
        noted, lost = await here.run("succeed", "succeed")
        assert lost is not None
        assert (noted.outcomes, noted.begun) == ({}, set())
        assert not here.executor.accepts(here.work(["succeed"]).handler)
        assert {request.path for request in seen} <= {"/process", "/process/batch"}
        before = len(seen)
        noted, lost = await here.run("succeed")
        assert lost is not None
        assert (noted.begun, len(seen)) == (set(), before), "nothing is sent while the circuit is open"


async def test_nobody_there_costs_nothing() -> None:
    async with over_http("http://127.0.0.1:9", whole=False) as here:
        noted, lost = await here.run("succeed", "succeed")
        assert lost is not None
        assert (noted.outcomes, noted.begun) == ({}, set())
        assert not here.executor.accepts(here.work(["succeed"]).handler)


@pytest.mark.parametrize("whole", [False, True])
async def test_a_reply_that_breaks_off_may_have_run(whole: bool) -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Length": "100"})
        await answer.prepare(request)
        await answer.write(b'{"success": tr')
        assert request.transport is not None
        request.transport.abort()
        return answer

    async with answering(cut, whole=whole) as (here, _):
        noted, lost = await here.run("succeed")
        assert lost is not None
        assert (noted.outcomes, noted.begun) == ({}, {10})
        assert here.executor.accepts(here.work(["succeed"]).handler), "one proves nothing"
        for _ in range(2):
            await here.run("succeed")
        assert not here.executor.accepts(here.work(["succeed"]).handler)


@pytest.mark.parametrize("status", [408, 502, 504])
async def test_a_gateway_may_have_passed_the_request_on(status: int) -> None:
    async with answering(says({}, status)) as (here, _):
        noted, lost = await here.run("succeed")
    assert lost is not None
    assert (noted.outcomes, noted.begun) == ({}, {10})


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (says({}, 500), "http_500"),
        (says({}, 422), "http_422"),
        (says([]), "invalid_answer"),
        (says({"success": "yes", "outcomes": [{}]}), "invalid_answer"),
        (says({"success": True, "result": "x" * 5_000}), "answer_too_large"),
    ],
)
async def test_an_answer_that_is_none_is_a_failed_attempt(answer: Answer, code: str, whole: bool) -> None:
    async with answering(answer, whole=whole, max_answer_bytes=4_000) as (here, _):
        noted, lost = await here.run("succeed", "succeed")
        assert lost is None
        assert [one.code for one in noted.outcomes.values() if isinstance(one, Failed)] == [code, code]
        assert here.executor.accepts(here.work(["succeed"]).handler)


async def test_a_target_that_comes_back_is_tried_by_one_request_and_then_used() -> None:
    there = asyncio.Event()
    trial = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        if not there.is_set():
            return web.Response(status=503)
        await trial.wait()
        return web.json_response(GOOD)

    async with answering(answer, policy=CircuitPolicy(first=0.05, cap=0.1)) as (here, seen):
        handler = here.work(["succeed"]).handler
        _, lost = await here.run("succeed")
        assert lost is not None
        there.set()
        await until(lambda: here.executor.accepts(handler))
        before = len(seen)
        task = asyncio.ensure_future(here.run(*["succeed"] * 4))
        await until(lambda: len(seen) > before)
        assert not here.executor.accepts(handler)
        trial.set()
        noted, lost = await task
        assert lost is not None
        assert (noted.outcomes, noted.begun) == ({10: Succeeded(1)}, {10})
        assert len(seen) == before + 1
        noted, lost = await here.run(*["succeed"] * 4)
        assert (set(noted.outcomes), lost) == ({10, 20, 30, 40}, None)


async def test_a_trial_that_is_cancelled_leaves_room_for_the_next() -> None:
    there = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        if not there.is_set():
            return web.Response(status=503)
        await asyncio.sleep(30)
        return web.json_response(GOOD)

    async with answering(answer, policy=CircuitPolicy(first=0.05, cap=0.1)) as (here, seen):
        handler = here.work(["succeed"]).handler
        await here.run("succeed")
        there.set()
        await until(lambda: here.executor.accepts(handler))
        task = asyncio.ensure_future(here.run("succeed"))
        await until(lambda: len(seen) > 1)
        task.cancel()
        await asyncio.wait([task])
        await until(lambda: here.executor.accepts(handler))


async def test_retry_after_says_how_long_the_target_is_left_alone() -> None:
    policy = CircuitPolicy(first=0.01, cap=30)
    async with answering(says({}, 429, **{"Retry-After": "20"}), policy=policy) as (here, _):
        assert here.target.describe() == here.target.url
        await here.run("succeed")
        away, _, wait = here.target.describe().partition("; it is tried again in ")
        assert away == f"{here.target.url} is away (it answered 429)"
        assert 10 < float(wait.removesuffix(" s")) <= 20


def test_retry_after_is_seconds_or_a_date() -> None:
    assert wait_asked_for({"Retry-After": " 7 "}) == 7
    soon = wait_asked_for(
        {"Retry-After": format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)}
    )
    assert soon is not None
    assert 85 < soon <= 90
    assert wait_asked_for({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0
    for text in ("", "soon", "-1", "1e9", "Wed, 99 Oct 2015 07:28:00 GMT"):
        assert wait_asked_for({"Retry-After": text}) is None


@pytest.mark.parametrize("whole", [False, True])
async def test_a_type_that_the_target_does_not_know_is_away_by_itself(tmp_path: Path, whole: bool) -> None:
    async with api(tmp_path) as (_, url), over_http(url, whole=whole, job_type="nobodys") as here:
        noted, lost = await here.run("succeed", "succeed")
        assert lost is not None
        assert (noted.outcomes, noted.begun) == ({}, set())
        assert not here.executor.accepts(here.work(["succeed"]).handler)
        assert here.executor.accepts(here.work(["succeed"], whole=True).handler)
        noted, lost = await here.run("succeed", whole=True)
        assert (noted.outcomes, lost) == ({10: Succeeded("key-10")}, None)
