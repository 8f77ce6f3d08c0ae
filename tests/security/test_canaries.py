"""Secrets go through everything there is, and come out where they may: a payload to its readers, a key nowhere."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from batchanator.api.access import ROLES
from batchanator.cli.main import SECTIONS
from tests.api.client import Answer, Client
from tests.contract.world import World
from tests.security.keys import keyed, section
from tests.support.canaries import KEY, PASSWORD, PAYLOAD, sung

ROOT = Path(__file__).parents[2]
BEARER = {"Authorization": f"Bearer {KEY}"}
WRONG = {"Authorization": f"Bearer {KEY}x"}

FOR_READERS = {
    "GET /batches/{id}/items",
    "GET /jobs/{id}/items",
    "GET /jobs/{id}/items/{seq}",
    "GET /items",
    "GET /jobs/{id}/results",
    "GET /jobs/{id}/rejects",
    "GET /jobs/{id}/duplicates",
    "GET /jobs/{id}/errors",
    "GET /jobs/{id}/dead-letter",
    "POST /process",
    "POST /process/batch",
}
"""Routes that are there to show what a line held, or what its handler said of it."""


@pytest.fixture
async def secretive(database_url: str, tmp_path: Path, logged: Callable[[], str]) -> AsyncIterator[Client]:
    sections = [section("boss", "admin", key=KEY), section("ci", "submit", key=KEY[::-1])]
    settings: dict[str, Any] = {"max_attempts": 1, "shutdown_grace_seconds": 0.1}
    async with keyed(database_url, tmp_path, *sections, parts=None, **settings) as client:
        yield client


def plans() -> list[Any]:
    """Payloads for every way in which an item can end, each with the canary in it."""
    ways = ("succeed", "die", "skip", "raise", "cancel", "exit", "bad result", "assert")
    return [{"does": way, "value": PAYLOAD} for way in ways] + [{"does": [PAYLOAD]}, PAYLOAD]


async def done(client: Client, job: int) -> None:
    while (await client.get(f"/jobs/{job}", headers=BEARER)).json["endedAt"] is None:
        pass


async def bring_in(client: Client, folder: Path) -> int:
    """Send the canary in by every way there is; return the job of direct items."""
    items = [{"idempotencyKey": f"{PAYLOAD}-{n}", "payload": plan} for n, plan in enumerate(plans())]
    body = {"items": [*items, items[0], {"idempotencyKey": "", "payload": PAYLOAD}], "jobName": "mine"}
    first = (await client.post("/jobs/echo/trigger/items", body, headers=BEARER)).json["jobId"]
    lines = [json.dumps({"idempotency_key": PAYLOAD, "does": "die"}), f'{{"{PAYLOAD}', f'"{PAYLOAD}"']
    (folder / "in.ndjson").write_text("\n".join(lines))
    second = await client.post("/jobs/echo/trigger/file", {"filePath": "in.ndjson"}, headers=BEARER)
    world = World(client.serving.runtime.store, "")
    await world.fetch(
        "INSERT INTO pending_work (job_type, idempotency_key, payload) VALUES (:job_type, :key, :payload)",
        job_type="echo",
        key=f"{PAYLOAD}-staged",
        payload=json.dumps({"does": "raise", "value": PAYLOAD}),
    )
    third = await client.post("/jobs/echo/trigger/database", headers=BEARER)
    for job in (first, second.json["jobId"], third.json["jobId"]):
        await done(client, job)
    return int(first)


async def refused(client: Client) -> list[Answer]:
    """Requests that fail, with the canary wherever one can be put."""
    bad = f'{{"items": [{{"{PAYLOAD}": 1'.encode()
    answers = [
        await client.post("/jobs/echo/trigger/items", bad, headers=BEARER),
        await client.post("/jobs/echo/trigger/file", {"filePath": f"/{PAYLOAD}"}, headers=BEARER),
        await client.get("/jobs", headers=WRONG),
        await client.get("/jobs", headers={"Authorization": f"Basic {KEY}"}),
        await client.get(f"/jobs?key={KEY}", headers={"Cookie": KEY}),
        await client.get("/jobs"),
    ]
    return [*answers, *[await client.get(f"/jobs/{n}", headers={"Authorization": KEY}) for n in range(20)]]


async def test_secrets_come_out_where_they_may_and_nowhere_else(
    secretive: Client, tmp_path: Path, logged: Callable[[], str]
) -> None:
    job = await bring_in(secretive, tmp_path)
    for answer in await refused(secretive):
        assert answer.status >= 400
        assert not sung(answer.body)
    heard = set()
    item = {"jobType": "echo", "idempotencyKey": PAYLOAD, "payload": {"does": "raise", "value": PAYLOAD}}
    bodies = {
        "POST /process": item,
        "POST /process/batch": {"jobType": "echo", "items": [{**item, "seq": 1}]},
        "POST /jobs/{jobType}/trigger/items": {"items": [{"idempotencyKey": PAYLOAD, "payload": PAYLOAD}]},
    }
    for route in ROLES:
        method, _, path = route.partition(" ")
        path = (
            path.replace("/batches/{id}", f"/batches/{job}-1").replace("{id}", str(job)).replace("{seq}", "1")
        )
        if route == "GET /items":
            path += f"?jobType=echo&idempotencyKey={PAYLOAD}-0"
        path = path.replace("{jobType}", "echo")
        for headers in (
            {},
            WRONG,
            {"Authorization": f"Bearer {KEY[::-1]}"},
        ):  # nobody, and a key that may submit
            answer = await secretive.ask(method, path, json=bodies.get(route), headers=headers)
            assert not sung(answer.body), route
        answer = await secretive.ask(method, path, json=bodies.get(route), headers=BEARER)
        assert not {KEY, PASSWORD} & set(sung(f"{answer.headers}") + sung(answer.body)), route
        heard |= {route} if sung(answer.body) else set()
    assert heard == FOR_READERS
    text = logged()
    assert "key.refused" in text
    assert "job.submitted" in text
    assert not sung(text), [line for line in text.splitlines() if sung(line)]


COMMANDS: dict[str, list[str]] = {
    "serve": ["--port", "0", "--host", "256.256.256.256"],
    "api": ["--port", "0", "--host", "256.256.256.256"],
    "scheduler": ["--port", "0", "--host", "256.256.256.256"],
    "process": ["in.ndjson", "--job-type", "demo", "--wait", "0"],
    "ingest": ["in.ndjson", "--job-type", "demo", "--wait", "0"],
    "validate": ["in.ndjson", "--job-type", "demo"],
    "jobs": [],
    "job": ["1"],
    "item": ["1", "1"],
    "rejects": ["1"],
    "duplicates": ["1"],
    "results": ["1"],
    "handlers": [],
    "config": [],
    "health": ["--port", "1"],
    "cancel": ["1"],
    "pause": ["1"],
    "resume": ["1"],
    "dead-letter": ["1", "replay"],
    "keys": ["new", "ci", "--role", "read"],
    "doctor": [],
    "migrate": ["--wait", "0"],
    "verify": [],
}


AS_A_URL = "postgresql://me:{}@127.0.0.1:1/none"
AS_A_WORD = "postgresql://127.0.0.1:1/none?password={}"


@pytest.mark.parametrize(
    ("name", "url"),
    [
        *((listed.name, AS_A_URL) for section in SECTIONS.values() for listed in section),
        *((name, AS_A_WORD) for name in ("serve", "process", "config", "doctor")),
    ],
)
def test_no_command_says_a_password_or_a_key(tmp_path: Path, name: str, url: str) -> None:
    (tmp_path / "in.ndjson").write_text(json.dumps({"idempotency_key": "a"}))
    arguments = [name, *COMMANDS[name]]
    if name not in {"validate", "handlers", "keys", "health"}:
        arguments += ["--database", url.format(PASSWORD)]
    settings = {"API_KEYS": KEY, "API_KEY": KEY, "HANDLERS": "tests.cli.demo_handlers"}
    ours = {f"BATCHANATOR_{setting}": value for setting, value in settings.items()}
    ended = subprocess.run(
        [sys.executable, "-m", "batchanator", *arguments],
        cwd=tmp_path,
        env={
            **os.environ,
            **{f"BATCHANATOR_{setting}": value for setting, value in ours.items()},
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    output = ended.stdout + ended.stderr
    assert output
    assert not sung(output)
    assert hashlib.sha256(KEY.encode()).hexdigest() not in output
