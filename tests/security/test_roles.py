"""Who may do what: every route, asked by nobody, by a wrong key and by each role."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from batchanator.api.access import NARROWED, ROLES, check_routes
from batchanator.api.application import HEADERS, build
from batchanator.domain.access import implied
from tests.api.client import QUIET, Client, make_serving, served
from tests.contract.world import entries
from tests.security.keys import ROLES as EACH
from tests.security.keys import bearing, keyed

ROUTES = sorted(ROLES)
OPEN = {"GET /healthz", "GET /readyz"}


@pytest.fixture
async def guarded(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Client]:
    async with keyed(sqlite_url, tmp_path) as client:
        await client.world.job(entries(["a", "b"]))
        yield client


def filled(route: str) -> tuple[str, str]:
    """An address that is there: of job 1, its batch, its line, and of a job type."""
    method, _, path = route.partition(" ")
    path = path.replace("/batches/{id}", "/batches/1-1").replace("{jobType}", "echo").replace("{seq}", "1")
    return method, path.replace("{id}", "1").replace("{name}", "x")


def test_each_role_lets_its_holder_do_this_and_no_more() -> None:
    allowed = {role: implied([role]) for role in EACH}  # type: ignore[list-item]
    assert allowed == {
        "read": {"read"},
        "submit": {"submit"},
        "operate": {"operate", "read"},
        "process": {"process"},
        "admin": {"read", "submit", "operate", "process", "admin"},
    }


@pytest.mark.parametrize("route", ROUTES)
async def test_nobody_gets_anything_but_health(guarded: Client, route: str) -> None:
    method, path = filled(route)
    answer = await guarded.ask(method, path)
    assert answer.headers.items() >= HEADERS.items()
    if route in OPEN:
        assert (answer.status, answer.json["status"] in {"ok", "ready"}) == (200, True)
        assert answer.json.keys() == {"status"}
    else:
        assert (answer.status, answer.problem) == (401, "unauthorized")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/jobs", "/jobs/1", "/healthz/x", "//healthz", "/healthz/../jobs"]
)
async def test_nobody_learns_which_addresses_there_are(guarded: Client, method: str, path: str) -> None:
    assert (await guarded.ask(method, path)).status == 401
    if method not in {"GET", "HEAD"}:
        assert (await guarded.ask(method, "/healthz")).status == 401


@pytest.mark.parametrize("role", EACH)
async def test_each_role_is_let_in_where_the_table_says_and_nowhere_else(guarded: Client, role: str) -> None:
    for route in ROUTES:
        method, path = filled(route)
        answer = await guarded.ask(method, path, headers=bearing(role))
        needed = ROLES[route]
        assert answer.headers.items() >= HEADERS.items()
        if needed == "nothing" or needed in implied([role]):  # type: ignore[list-item]
            assert answer.status not in {401, 403}, (route, answer)
        else:
            assert (answer.status, answer.problem) == (403, "forbidden"), route


async def test_what_is_not_allowed_does_not_happen(guarded: Client) -> None:
    for role in ("read", "submit", "process"):
        for action in ("cancel", "pause", "dead-letter/replay"):
            assert (await guarded.ask("POST", f"/jobs/1/{action}", headers=bearing(role))).status == 403
    job = (await guarded.get("/jobs/1", headers=bearing("read"))).json
    assert (job["paused"], job["status"], job["counts"]["pending"]) == (False, "processing", 2)
    items = {"items": [{"idempotencyKey": "c", "payload": {}}]}
    for role in ("read", "operate", "process"):
        answer = await guarded.post("/jobs/echo/trigger/items", items, headers=bearing(role))
        assert answer.status == 403
    assert len((await guarded.get("/jobs", headers=bearing("read"))).json["data"]) == 1


async def test_a_key_may_read_where_it_may_look_for_an_unknown_address(guarded: Client) -> None:
    answer = await guarded.get("/nothing", headers=bearing("submit"))
    assert (answer.status, answer.problem) == (404, "not-found")
    assert (await guarded.ask("PUT", "/jobs", headers=bearing("submit"))).status == 405


async def test_readiness_tells_its_reasons_to_those_alone_who_may_read(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with keyed(sqlite_url, tmp_path, opened=False) as client:
        for headers in ({}, bearing("submit"), bearing("process"), {"Authorization": "Bearer wrong"}):
            answer = await client.get("/readyz", headers=headers)
            assert (answer.status, answer.problem) == (503, "not-ready")
            assert "checks" not in answer.json
            assert "database" not in answer.body.decode()
        for role in ("read", "operate", "admin"):
            answer = await client.get("/readyz", headers=bearing(role))
            assert answer.json["checks"] == {"service": "The database is not open yet."}


async def test_without_keys_whoever_reaches_a_loopback_may_do_everything(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with served(sqlite_url, tmp_path, parts=QUIET) as client:
        await client.world.job(entries(["a"]))
        for route in ROUTES:
            method, path = filled(route)
            assert (await client.ask(method, path)).status not in {401, 403}, route


async def test_a_route_without_a_role_does_not_start(sqlite_url: str, tmp_path: Path) -> None:
    app = build(make_serving(sqlite_url, tmp_path)._service())
    check_routes(app)

    async def open_to_all(_request: web.Request) -> web.Response:
        return web.Response()

    app.router.add_get("/secrets", open_to_all)
    with pytest.raises(RuntimeError, match=r"^GET /secrets has no role"):
        check_routes(app)


async def test_the_table_has_no_route_that_is_not_there(sqlite_url: str, tmp_path: Path) -> None:
    app = build(make_serving(sqlite_url, tmp_path)._service())
    there = {
        f"{route.method} {route.resource.canonical}"
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    assert set(ROLES) == there
    assert there >= NARROWED
