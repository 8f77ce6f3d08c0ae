"""Errors are problems with a stable type; they tell nothing of how the service is made."""

import re
from pathlib import Path
from typing import Any

import pytest
import structlog

from batchanator.api import problems
from batchanator.api.result_lines import ResultLines
from batchanator.domain.errors import (
    ConflictError,
    LeaseLostError,
    NotFoundError,
    OutcomeUnknownError,
    SchemaError,
    TransientError,
    UnavailableError,
    UnknownJobTypeError,
)
from batchanator.store.jobs import Jobs
from tests.api.client import QUIET, Client, served

SECRET = "/home/me/secret.db: SELECT password FROM jobs"
HEADERS = {
    "Server": "batchanator",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


@pytest.fixture
async def here(sqlite_url: str, tmp_path: Path):
    async with served(sqlite_url, tmp_path, parts=QUIET) as client:
        yield client


async def test_unknown_addresses_and_methods(here: Client) -> None:
    answer = await here.get("/nope")
    assert (answer.status, answer.problem) == (404, "not-found")
    for method, path, allowed in (
        ("PATCH", "/jobs", "GET,HEAD"),
        ("GET", "/process", "POST"),
        ("PUT", "/jobs/1", "GET,HEAD,PATCH"),
    ):
        answer = await here.ask(method, path)
        assert (answer.status, answer.problem, answer.headers["Allow"]) == (
            405,
            "method-not-allowed",
            allowed,
        )


async def test_every_answer_has_the_protecting_headers(here: Client) -> None:
    await here.items({})
    for path in (
        "/healthz",
        "/readyz",
        "/jobs",
        "/jobs/1",
        "/jobs/99",
        "/nope",
        "/jobs/1/results",
        "/jobs?x=1",
    ):
        answer = await here.get(path)
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        assert "Python" not in str(answer.headers)


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (NotFoundError("no such file"), 404, "not-found"),
        (UnknownJobTypeError("x", ["y"]), 422, "unknown-job-type"),
        (ConflictError("it has ended"), 409, "conflict"),
        (LeaseLostError(SECRET), 409, "conflict"),
        (UnavailableError(SECRET), 503, "unavailable"),
        (OutcomeUnknownError(SECRET), 503, "unavailable"),
        (TransientError(SECRET), 503, "unavailable"),
        (SchemaError(SECRET), 503, "unavailable"),
    ],
)
def test_errors_of_the_domain_have_one_problem_each(error: Any, status: int, kind: str) -> None:
    problem = problems.problem_of(error)
    assert problem is not None
    response = problems.response_of(problem)
    assert (response.status, problem.kind.name) == (status, kind)
    assert isinstance(response.body, bytes)
    assert SECRET.encode() not in response.body
    if status == 503:
        assert int(response.headers["Retry-After"]) > 0


def test_kinds_are_told_apart_by_name_and_title() -> None:
    assert len({kind.name for kind in problems.KINDS}) == len(problems.KINDS)
    assert len({kind.title for kind in problems.KINDS}) == len(problems.KINDS)
    there = {value for value in vars(problems).values() if isinstance(value, problems.Kind)}
    assert there == set(problems.KINDS)


async def test_what_nobody_expected_is_told_by_an_id_that_is_logged(here: Client, monkeypatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(Jobs, "get", broken)
    with structlog.testing.capture_logs() as logs:
        answer = await here.get("/jobs/1")
    assert (answer.status, answer.problem) == (500, "internal-error")
    assert SECRET not in answer.body.decode()
    found = re.fullmatch(r"urn:uuid:([0-9a-f-]{36})", answer.json["instance"])
    assert found is not None
    (event,) = [log for log in logs if log["event"] == "request.failed"]
    assert (event["id"], event["route"]) == (found[1], "GET /jobs/{id}")


async def test_an_answer_that_breaks_off_is_cut_and_never_whole(here: Client, monkeypatch) -> None:
    job_id = await here.world.job(1200)
    pages = 0
    page = ResultLines.page

    async def broken(self: ResultLines, **asked: Any) -> Any:
        nonlocal pages
        pages += 1
        if pages == 2:
            raise UnavailableError(SECRET)
        return await page(self, **asked)

    monkeypatch.setattr(ResultLines, "page", broken)
    with pytest.raises(Exception, match=r"payload|closed|reset"):
        await here.get(f"/jobs/{job_id}/results")
    assert (await here.get("/healthz")).status == 200


async def test_a_page_of_another_site_changes_nothing(here: Client) -> None:
    job_id = await here.items({})
    for site in ("cross-site", "same-site"):
        answer = await here.post(f"/jobs/{job_id}/cancel", headers={"Sec-Fetch-Site": site})
        assert (answer.status, answer.problem) == (403, "cross-site")
    assert (await here.get("/jobs", headers={"Sec-Fetch-Site": "cross-site"})).status == 200
    same = await here.post(f"/jobs/{job_id}/cancel", headers={"Sec-Fetch-Site": "same-origin"})
    assert same.status == 200
