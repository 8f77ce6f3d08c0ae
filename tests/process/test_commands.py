"""The same of the real commands: `serve` and `process`, killed and stopped."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.postgres import PostgresServer
from tests.process.databases import on
from tests.process.handlers import GATE, LEDGER
from tests.process.polling import until
from tests.process.scene import Scene

pytestmark = pytest.mark.process
ROOT = Path(__file__).parents[2]


@contextmanager
def command(scene: Scene, *words: str, grace: float = 1) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a command with the default lease of five minutes, but on PostgreSQL, where it must run out."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        LEDGER: str(scene.ledger.path),
        GATE: str(scene.folder / "gate"),
        "BATCHANATOR_LOCK_TIMEOUT_MINUTES": str(scene.restart_lease),
        "BATCHANATOR_POLLING_INTERVAL_SECONDS": "0.1",
        "BATCHANATOR_SHUTDOWN_GRACE_SECONDS": str(grace),
        "BATCHANATOR_CHUNK_SIZE": "40",
    }
    options = ("--handlers", "tests.process.handlers", "--database", scene.url)
    with (scene.folder / "command.log").open("ab") as log:
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
        print((scene.folder / "command.log").read_text("utf-8")[-6000:])  # noqa: T201 - where the test failed


def source(scene: Scene, count: int) -> None:
    scene.write("source.ndjson", (json.dumps({"idempotency_key": f"k-{n}", "ms": 20}) for n in range(count)))


def test_a_service_that_was_killed_is_started_again_and_ends_everything(scene: Scene) -> None:
    source(scene, 400)
    job = scene.submit_file("ledger", "source.ndjson")
    with command(scene, "serve", "--port", "0") as first:
        scene.wait_succeeded(50)
        first.kill()
        assert first.wait() == -signal.SIGKILL
    assert scene.open_jobs()

    with command(scene, "serve", "--port", "0") as second:
        scene.wait_ended()
        second.terminate()
        assert second.wait(20) == 0
    assert scene.statuses(job) == {"succeeded": 400}
    assert scene.lapses()
    scene.assert_sound()


def test_a_file_whose_processing_was_killed_goes_on_and_is_all_duplicates_afterwards(scene: Scene) -> None:
    source(scene, 300)
    words = ("process", "source.ndjson", "--job-type", "ledger")
    with command(scene, *words) as first:
        until(lambda: len(scene.ledger.ends()) >= 50, "some have ended")
        first.kill()
        first.wait()
    (unfinished,) = scene.open_jobs()

    with command(scene, *words, "--resume", str(unfinished[0])) as second:
        assert second.wait(40) == 0
    with command(scene, *words) as third:
        assert third.wait(40) == 0
    assert scene.open_jobs() == []
    assert scene.read("SELECT lines, accepted, duplicates FROM jobs ORDER BY id") == [
        (300, 300, 0),
        (300, 0, 300),
    ]
    scene.assert_sound()


@pytest.mark.parametrize("job_type", ["stubborn", "thread"])
def test_no_handler_keeps_the_service_from_ending(scene: Scene, job_type: str) -> None:
    scene.submit(job_type, [{"ms": 20_000}])
    with command(scene, "serve", "--port", "0", grace=0.3) as service:
        scene.wait_started(1)
        began = time.monotonic()
        service.terminate()
        assert service.wait(15) == 0
        assert time.monotonic() - began < 6
    assert scene.read("SELECT job_id FROM slices WHERE state = 1") == []
    scene.assert_sound()


def listening(scene: Scene) -> tuple[str, int]:
    """Return where the service that was started last listens."""
    lines = (scene.folder / "command.log").read_text("utf-8").splitlines()
    events = [json.loads(line) for line in lines if '"server.listening"' in line]
    assert events
    parts = urlsplit(events[-1]["url"])
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


def health(address: tuple[str, int], path: str) -> int:
    connection = http.client.HTTPConnection(*address, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def test_a_download_that_nobody_reads_on_keeps_no_work_running_and_no_process(scene: Scene) -> None:
    """A stop begins with the claims: results that are being sent get their seconds beside it, not before it."""
    scene.submit("ledger", [{"ms": 100, "padding": "x" * 2_000}] * 5_000)
    with command(scene, "serve", "--port", "0") as service, socket.socket() as reader:
        scene.wait_started(1)
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        reader.connect(listening(scene))
        reader.sendall(b"GET /jobs/1/results HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert reader.recv(12) == b"HTTP/1.1 200"
        began = time.monotonic()
        service.terminate()
        until(
            lambda: "server.stopping" in (scene.folder / "command.log").read_text("utf-8"), "it is stopping"
        )
        started = len(scene.ledger.starts())
        assert service.wait(20) == 0
        assert time.monotonic() - began < 10
    assert len(scene.ledger.starts()) <= started + 60  # a slice that was held already, and what ran
    assert scene.attempts() == []
    assert scene.read("SELECT job_id FROM slices WHERE state = 1") == []
    scene.assert_sound()


@on("postgres18")
def test_a_service_that_waits_for_its_database_lives_and_can_be_stopped(
    scene: Scene, postgres18: PostgresServer
) -> None:
    postgres18.stop("immediate")
    try:
        with command(scene, "serve", "--port", "0") as service:
            log = scene.folder / "command.log"
            until(lambda: "database.unavailable" in log.read_text("utf-8"), "it waits")
            assert health(listening(scene), "/healthz") == 200
            assert health(listening(scene), "/readyz") == 503
            service.terminate()
            assert service.wait(5) == 0
    finally:
        postgres18.start()
