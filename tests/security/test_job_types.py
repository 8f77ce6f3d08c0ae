"""A key that is limited to job types: the others are not there for it, and it cannot tell whether they are."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from batchanator.api.access import NARROWED, ROLES
from tests.api.client import Client
from tests.security.keys import bearing, keyed, section

OF_A_JOB = ("/jobs/{id}", "/batches/{id}")
EVERYTHING = ("read", "submit", "operate", "process")


@pytest.fixture
async def shared(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Client]:
    """Job 1 and 3 are of `echo`, job 2 of `threaded`; `mine` is limited to echo, `few` to two of three types."""
    sections = (
        section("mine", *EVERYTHING, job_types=("echo", "gone")),
        section("few", "read", job_types=("echo", "threaded")),
        section("boss", "admin"),
    )
    async with keyed(sqlite_url, tmp_path, *sections) as client:
        for job_type in ("echo", "threaded", "echo"):
            items = {"items": [{"idempotencyKey": "k", "payload": {}}]}
            answer = await client.post(f"/jobs/{job_type}/trigger/items", items, headers=bearing("boss"))
            assert answer.status == 202
        yield client


@pytest.mark.parametrize(
    "route", [route for route in sorted(ROLES) if any(part in route for part in OF_A_JOB)]
)
async def test_a_job_of_another_type_is_answered_as_one_that_is_not_there(shared: Client, route: str) -> None:
    method, _, path = route.partition(" ")
    for query in ("", "?nonsense=1"):
        answers = []
        for job in ("2", "77"):
            place = (
                path.replace("/batches/{id}", f"/batches/{job}-1").replace("{id}", job).replace("{seq}", "1")
            )
            answers.append(await shared.ask(method, place + query, headers=bearing("mine")))
        there, nowhere = answers
        assert there.status == nowhere.status == 404
        assert there.body.replace(b"2", b"") == nowhere.body.replace(b"77", b"")
        assert there.headers.keys() == nowhere.headers.keys()
    job = (await shared.get("/jobs/2", headers=bearing("boss"))).json
    assert (job["paused"], job["stopping"], job["status"]) == (False, None, "processing")


async def test_its_own_jobs_are_there(shared: Client) -> None:
    for path in ("/jobs/1", "/jobs/3/batches", "/batches/1-1/items", "/jobs/1/items/1", "/jobs/1/results"):
        assert (await shared.get(path, headers=bearing("mine"))).status == 200
    assert (await shared.post("/jobs/1/pause", headers=bearing("mine"))).status == 200


@pytest.mark.parametrize("job_type", ["threaded", "nothing"])
async def test_another_type_is_refused_whether_there_is_one_or_not(shared: Client, job_type: str) -> None:
    items = {"items": [{"idempotencyKey": "k", "payload": {}}]}
    asked: tuple[tuple[str, str, Any], ...] = (
        ("POST", f"/jobs/{job_type}/trigger/items", items),
        ("POST", f"/jobs/{job_type}/trigger/file", {"filePath": "x"}),
        ("POST", f"/jobs/{job_type}/trigger/database", {}),
        ("GET", f"/jobs?jobType={job_type}", None),
        ("GET", f"/items?jobType={job_type}&idempotencyKey=k", None),
    )
    for method, path, body in asked:
        answer = await shared.ask(method, path, json=body, headers=bearing("mine"))
        assert (answer.status, answer.problem) == (403, "forbidden"), path
        assert answer.json["detail"] == "This key is for other job types."


@pytest.mark.parametrize("job_type", ["threaded", "nothing"])
async def test_handlers_of_another_type_are_not_there(shared: Client, job_type: str) -> None:
    item = {"seq": 1, "idempotencyKey": "k", "payload": {}}
    one = await shared.post("/process", {"jobType": job_type, **item}, headers=bearing("mine"))
    many = await shared.post(
        "/process/batch", {"jobType": job_type, "items": [item]}, headers=bearing("mine")
    )
    for outcome in (one.json, many.json["outcomes"][0]):
        assert (outcome["success"], outcome["code"]) == (False, "unknown_job_type")
        assert outcome["error"] == f"unknown job type {job_type!r}; known: echo"
    own = await shared.post("/process", {"jobType": "echo", **item}, headers=bearing("mine"))
    assert own.json["success"]


async def test_lists_leave_the_others_out(shared: Client) -> None:
    def ids(answer) -> list[int]:
        return [job["id"] for job in answer.json["data"]]

    assert ids(await shared.get("/jobs", headers=bearing("mine"))) == [3, 1]
    assert ids(await shared.get("/jobs?jobType=echo", headers=bearing("mine"))) == [3, 1]
    assert ids(await shared.get("/jobs", headers=bearing("few"))) == [3, 2, 1]
    first = await shared.get("/jobs?limit=2", headers=bearing("few"))
    assert (ids(first), first.json["hasMore"], first.json["next"]) == ([3, 2], True, 2)
    assert ids(await shared.get("/jobs?limit=2&after=2", headers=bearing("few"))) == [1]
    handlers = (await shared.get("/handlers", headers=bearing("mine"))).json["data"]
    assert [one["jobType"] for one in handlers] == ["echo"]


async def test_no_error_names_the_others(shared: Client) -> None:
    answer = await shared.post("/jobs/gone/trigger/database", headers=bearing("mine"))
    assert (answer.status, answer.problem) == (422, "unknown-job-type")
    assert answer.json["known"] == ["echo"]
    assert b"threaded" not in answer.body


async def test_what_is_about_the_whole_process_takes_a_key_without_limits(shared: Client) -> None:
    whole = [route for route, role in ROLES.items() if role != "nothing" and route not in NARROWED]
    whole = [route for route in whole if not any(part in route for part in ("{jobType}", *OF_A_JOB))]
    assert "GET /workers" in whole
    for route in whole:
        method, _, path = route.partition(" ")
        answer = await shared.ask(method, path.replace("{id}", "1"), headers=bearing("mine"))
        assert (answer.status, answer.problem) == (403, "forbidden"), route
