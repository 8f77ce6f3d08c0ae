"""Real processes behind PgBouncer, which shares its sessions by transaction."""

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.pgbouncer import PgBouncer
from tests.process.handlers import LEDGER
from tests.process.polling import until
from tests.process.scene import Scene
from tests.process.serving import ROOT, ask, command, free_port, is_ready

pytestmark = [pytest.mark.process, pytest.mark.parametrize("database", ["pgbouncer"], indirect=True)]
ITEMS = 3_000
LEFT = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"


def write_source(scene: Scene) -> None:
    lines = (json.dumps({"idempotency_key": f"k-{number}", "ms": 3}) for number in range(ITEMS))
    scene.write("source.ndjson", lines)


def test_work_outlives_a_killed_worker_and_a_pooler_that_ends_every_connection(
    scene: Scene, pgbouncer: PgBouncer
) -> None:
    write_source(scene)
    job = scene.submit_file("ledger", "source.ndjson")
    doomed, worker = scene.start(), scene.start()
    scene.wait_succeeded(100)
    doomed.kill()
    scene.wait_succeeded(scene.succeeded() + 100)
    assert scene.open_jobs()
    pgbouncer.restart()
    scene.wait_ended(60)
    worker.stop()

    assert worker.events("wakeups.polled")
    assert scene.statuses(job) == {"succeeded": ITEMS}
    assert scene.attempts() == []
    assert scene.value(LEFT) == 0
    scene.assert_sound(in_order=False)


def test_serve_takes_a_file_and_says_what_it_works_through(scene: Scene) -> None:
    write_source(scene)
    port = free_port()
    with command(scene, port, "serve", handlers="tests.process.handlers") as serve:
        until(lambda: is_ready(port), "it is ready", seconds=40)
        assert ask(port, "/readyz")["checks"]["database"] == "PostgreSQL through a pooler"
        job = ask(port, "/jobs/ledger/trigger/file", {"filePath": "source.ndjson"})["jobId"]
        scene.wait_ended(60)
        assert ask(port, f"/jobs/{job}")["status"] == "completed"
        serve.send_signal(signal.SIGTERM)
        assert serve.wait(20) == 0
    assert scene.statuses(job) == {"succeeded": ITEMS}
    scene.assert_sound()


def test_process_runs_a_file_to_its_end(scene: Scene) -> None:
    write_source(scene)
    words = ["process", "source.ndjson", "--job-type", "ledger", "--handlers", "tests.process.handlers"]
    ended = subprocess.run(
        [sys.executable, "-m", "batchanator", *words, "--database", scene.url],
        cwd=scene.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), LEDGER: str(scene.ledger.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert scene.read("SELECT status, count(*) FROM batch_items GROUP BY status") == [("succeeded", ITEMS)]
    scene.assert_sound()
