"""`serve --processes N`: what dies is replaced, what it held is run again, a stop reaches everyone."""

import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from batchanator.app.runtime import WORK_CONNECTIONS
from tests.process.databases import on
from tests.process.polling import until
from tests.process.scene import Scene
from tests.process.test_commands import command, health, listening

pytestmark = pytest.mark.process
PROCESSES = 2


class Supervised:
    def __init__(self, scene: Scene, pid: int) -> None:
        self.pid = pid
        self._log = scene.folder / "command.log"

    def events(self, name: str) -> list[dict[str, object]]:
        lines = [line for line in self._log.read_text("utf-8").splitlines() if f'"{name}"' in line]
        return [event for event in map(json.loads, lines) if event.get("event") == name]

    def living(self) -> list[int]:
        """Return the processes that serve, by what the supervisor says."""
        died = {event["pid"] for event in self.events("process.died")}
        started = [int(str(event["pid"])) for event in self.events("process.started")]
        return [pid for pid in started if pid not in died]

    def wait_ready(self, count: int) -> None:
        until(lambda: len(self.events("server.ready")) >= count, f"{count} are ready", seconds=60)


@contextmanager
def several(scene: Scene, **options: float) -> Iterator[tuple["subprocess.Popen[bytes]", Supervised]]:
    with command(scene, "serve", "--port", "0", "--processes", str(PROCESSES), **options) as process:
        family = psutil.Process(process.pid)
        try:
            yield process, Supervised(scene, process.pid)
        finally:
            for child in family.children(recursive=True) if family.is_running() else ():
                child.kill()


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def submit_many(scene: Scene, count: int, ms: int) -> int:
    return scene.submit("ledger", [{"ms": ms}] * count)


def test_one_that_is_killed_is_replaced_and_the_work_ends(scene: Scene) -> None:
    job = submit_many(scene, 600, 50)
    with several(scene) as (supervisor, processes):
        processes.wait_ready(PROCESSES)
        until(lambda: len({line.pid for line in scene.ledger.lines()}) == PROCESSES, "all of them work")
        victim = processes.living()[0]
        os.kill(victim, signal.SIGKILL)
        until(lambda: len(processes.events("process.started")) == PROCESSES + 1, "another has been started")
        (died,) = processes.events("process.died")
        assert (died["pid"], died["code"]) == (victim, -signal.SIGKILL)
        processes.wait_ready(PROCESSES + 1)
        assert health(listening(scene), "/readyz") == 200
        scene.wait_ended(60)
        supervisor.terminate()
        assert supervisor.wait(20) == 0
        assert all(is_gone(pid) for pid in processes.living())
    assert scene.statuses(job) == {"succeeded": 600}
    scene.assert_sound(in_order=False)


def test_a_stop_in_the_middle_of_work_reaches_everyone_and_costs_no_attempt(scene: Scene) -> None:
    job = scene.submit("gate", [{}] * 100)
    with several(scene, grace=0.5) as (supervisor, processes):
        processes.wait_ready(PROCESSES)
        scene.wait_started(10)
        supervisor.terminate()
        assert supervisor.wait(20) == 0
        assert all(is_gone(pid) for pid in processes.living())
    assert scene.attempts() == []
    assert scene.statuses(job) == {"pending": 100}
    assert {kind for *_, kind, _ in scene.lapses()} == {"released"}
    scene.assert_sound(in_order=False)


@on("sqlite")
def test_a_second_signal_ends_everyone_at_once(scene: Scene) -> None:
    scene.submit("gate", [{}] * 100)
    with several(scene, grace=60) as (supervisor, processes):
        processes.wait_ready(PROCESSES)
        scene.wait_started(10)
        supervisor.terminate()
        until(lambda: len(processes.events("server.stopping")) == PROCESSES, "all of them stop")
        supervisor.terminate()
        assert supervisor.wait(5) == 128 + signal.SIGTERM
        until(lambda: all(is_gone(pid) for pid in processes.living()), "all of them are gone", seconds=5)


@on("sqlite")
def test_nobody_outlives_a_supervisor_that_is_killed(scene: Scene) -> None:
    submit_many(scene, 300, 50)
    with several(scene) as (supervisor, processes):
        processes.wait_ready(PROCESSES)
        scene.wait_started(10)
        supervisor.kill()
        until(lambda: all(is_gone(pid) for pid in processes.living()), "all of them are gone", seconds=15)
    assert scene.read("SELECT job_id FROM slices WHERE state = 1") == []
    assert scene.attempts() == []
    scene.assert_sound(in_order=False)


@on("sqlite")
def test_where_none_can_start_the_exit_code_says_so(scene: Scene) -> None:
    began = time.monotonic()
    with command(
        scene, "serve", "--port", "0", "--processes", "2", "--handlers", "tests.no_such"
    ) as supervisor:
        assert supervisor.wait(20) == 2
    assert time.monotonic() - began < 15
    assert "tests.no_such" in Path(scene.folder / "command.log").read_text("utf-8")


def test_metrics_are_of_all_processes_whichever_is_asked_and_what_the_dead_did_stays_counted(
    scene: Scene,
) -> None:
    job = submit_many(scene, 600, 50)
    with several(scene) as (supervisor, processes):
        processes.wait_ready(PROCESSES)
        until(lambda: len({line.pid for line in scene.ledger.lines()}) == PROCESSES, "all of them work")
        scene.wait_ended(60)
        at = listening(scene)
        settled = 'batchanator_items_total{job_type="ledger",outcome="succeeded"}'
        until(lambda: metrics(at)[settled] == 600, "all are counted")
        assert {metrics(at)[settled] for _ in range(10)} == {600}
        victim = processes.living()[0]
        os.kill(victim, signal.SIGKILL)
        processes.wait_ready(PROCESSES + 1)
        assert {metrics(at)[settled] for _ in range(10)} == {600}
        limit = 'batchanator_connections_limit{pool="work"}'
        until(lambda: metrics(at)[limit] == PROCESSES * connections_of_one(scene), "only the living count")
        supervisor.terminate()
        assert supervisor.wait(20) == 0
    assert scene.statuses(job) == {"succeeded": 600}


def metrics(at: tuple[str, int]) -> dict[str, float]:
    with urllib.request.urlopen(f"http://{at[0]}:{at[1]}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    samples = [line.rpartition(" ") for line in lines if not line.startswith("#")]
    return {name: float(value) for name, _, value in samples}


def connections_of_one(scene: Scene) -> int:
    """Return how many connections a worker may have: eight, or with SQLite three readers and the writer."""
    return 4 if scene.url.startswith("sqlite") else WORK_CONNECTIONS
