"""The service's own commands, asked by HTTP."""

import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.process.handlers import GATE, LEDGER
from tests.process.scene import Scene

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def command(
    scene: Scene, port: int, *words: str, handlers: str | None, **settings: object
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
    options += ["--handlers", handlers] if handlers else []
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
