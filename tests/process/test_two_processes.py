"""`api` with the handlers, `scheduler` without, on one database: either may be killed, and nothing is lost."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.process.handlers import GATE, LEDGER
from tests.process.polling import pass_time, until
from tests.process.scene import Scene

pytestmark = pytest.mark.process
ROOT = Path(__file__).parents[2]
ITEMS = 10_000
OUTAGE_SECONDS = 5.0


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def command(
    scene: Scene, port: int, *words: str, handlers: bool, **settings: object
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a command of the service in the scene's folder; it ends with the block."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        LEDGER: str(scene.ledger.path),
        GATE: str(scene.folder / "gate"),
        "BATCHANATOR_LOCK_TIMEOUT_MINUTES": str(scene.restart_lease),
        "BATCHANATOR_POLLING_INTERVAL_SECONDS": "0.2",
        "BATCHANATOR_SHUTDOWN_GRACE_SECONDS": "2",
        **{f"BATCHANATOR_{name}": str(value) for name, value in settings.items()},
    }
    options = ["--database", scene.url, "--port", str(port), "--log-format", "json"]
    options += ["--handlers", "tests.process.handlers"] if handlers else []
    name = scene.folder / f"{words[0]}.log"
    with name.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "batchanator", *words, *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=scene.folder,
            env=environment,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        print(name.read_text("utf-8")[-6000:])  # noqa: T201 - where the test failed


def ask(port: int, path: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def is_ready(port: int) -> bool:
    try:
        return bool(ask(port, "/readyz")["status"] == "ready")
    except OSError:
        return False


@pytest.mark.parametrize("requests", ["item", "slice"])
def test_a_killed_api_costs_no_attempt_and_no_item(scene: Scene, requests: str) -> None:
    """In the middle of 10,000 items, away for some seconds; those under way run again with the same key."""
    lines = (json.dumps({"idempotency_key": f"k-{number}"}) for number in range(ITEMS))
    scene.write("source.ndjson", lines)
    here, there = free_port(), free_port()
    elsewhere = {"API_BASE_URL": f"http://127.0.0.1:{there}", "API_REQUESTS": requests}
    with (
        command(scene, there, "api", handlers=True) as api,
        command(scene, here, "scheduler", handlers=False, **elsewhere) as scheduler,
    ):
        until(lambda: is_ready(there) and is_ready(here), "both are ready", seconds=40)
        job = ask(here, "/jobs/ledger/trigger/file", {"filePath": "source.ndjson"})["jobId"]
        scene.wait_succeeded(ITEMS // 10)
        api.kill()
        assert api.wait() == -signal.SIGKILL
        until(lambda: " is away " in ask(here, "/readyz")["checks"]["handlers"], "readiness says so")
        assert scene.open_jobs()
        pass_time(OUTAGE_SECONDS)
        with command(scene, there, "api", handlers=True):
            scene.wait_ended(90)
            scheduler.terminate()
            assert scheduler.wait(20) == 0

    assert scene.statuses(job) == {"succeeded": ITEMS}
    assert scene.attempts() == []
    assert len(scene.ledger.starts()) == ITEMS
    scene.assert_sound()


def test_a_type_that_the_api_does_not_know_waits_and_the_others_go_on(scene: Scene) -> None:
    here, there = free_port(), free_port()
    elsewhere = {"API_BASE_URL": f"http://127.0.0.1:{there}", "JOB_TYPES__unknown__SLICE_SIZE": 5}
    with (
        command(scene, there, "api", handlers=True),
        command(scene, here, "scheduler", handlers=False, **elsewhere) as scheduler,
    ):
        until(lambda: is_ready(there) and is_ready(here), "both are ready", seconds=40)
        items = [{"idempotencyKey": f"k-{number}", "payload": {}} for number in range(20)]
        unknown = ask(here, "/jobs/unknown/trigger/items", {"items": items})["jobId"]
        until(lambda: "unknown" in ask(here, "/readyz")["checks"]["handlers"], "readiness says so")
        known = ask(here, "/jobs/ledger/trigger/items", {"items": items})["jobId"]
        until(lambda: scene.statuses(known) == {"succeeded": 20}, "the others have succeeded")
        assert set(scene.statuses(unknown)) <= {"pending", "processing"}
        scheduler.terminate()
        assert scheduler.wait(20) == 0
    assert scene.attempts() == []
    assert scene.lapses() == []
    scene.assert_sound()
