"""Scheduled jobs in processes of their own: each time is run once, by whoever was first, or is known to be lost."""

import asyncio
import os
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from batchanator.app.runtime import Runtime
from batchanator.domain.cron import Expression
from batchanator.domain.schedule import Schedule
from batchanator.schedule.runs import CronJob
from batchanator.schedule.scheduler import Scheduler
from batchanator.store.store import Store, driver_for
from tests.process.polling import until
from tests.process.scene import _FORKS, Scene

pytestmark = pytest.mark.process
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PROCESSES, TIMES = 10, 25
NO_MAINTENANCE = {name: {"enabled": False} for name in ("stale_job_cleanup", "expired_lock_release")}
LONG_AGO = "600000000", "interval '10 minutes'"


def tick(url: str, log: Path, barrier: Barrier) -> None:
    """Be a process that looks at a job every minute, at the same moments as the others, by a clock of the test's."""
    asyncio.run(_tick(url, log, barrier))


async def _tick(url: str, log: Path, barrier: Barrier) -> None:
    store, worker, now = Store(driver_for(url, connections=2)), f"worker-{os.getpid()}", 0

    async def work() -> str:
        with log.open("a") as file:
            file.write(f"{now} {os.getpid()}\n")
        return "ran"

    job = CronJob(Schedule("tick", Expression("* * * * *"), UTC, "UTC"), work)
    scheduler = Scheduler(store, [job], worker=lambda: worker)
    await store.open()
    await store.workers.register(
        worker=worker, lease=timedelta(hours=1), host="host", pid=os.getpid(), roles=""
    )
    for now in range(TIMES + 1):
        await asyncio.to_thread(barrier.wait, 60)
        await scheduler.look(job, now=NOON + now * MINUTE)
        await scheduler.runs.idle()
    await store.close()


def test_ten_processes_run_each_time_once(scene: Scene) -> None:
    scene.use(_nothing)  # the schema
    log, barrier = scene.folder / "ticks", _FORKS.Barrier(PROCESSES)
    processes = [
        _FORKS.Process(target=tick, args=(scene.url, log, barrier), daemon=True) for _ in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(100)
    assert [process.exitcode for process in processes] == [0] * PROCESSES
    lines = [line.split() for line in log.read_text().splitlines()]
    assert Counter(int(minute) for minute, _ in lines) == dict.fromkeys(range(1, TIMES + 1), 1)
    assert len({pid for _, pid in lines}) > 1, "only one of them ever won: this was no race"
    assert scene.read("SELECT result, count(*) FROM cron_runs GROUP BY result ORDER BY result") == [
        ("skipped", 1),
        ("succeeded", TIMES),
    ]
    scene.assert_sound()


async def _nothing(_runtime: Runtime) -> None:
    pass


def missed(scene: Scene, name: str) -> None:
    """Let the job have run last an hour ago, so that it is run at the start of the next process."""

    async def record(runtime: Runtime) -> None:
        _, now = await runtime.store.cron_runs.latest(name=name)
        await runtime.store.cron_runs.skip(
            name=name, scheduled_for=now - timedelta(hours=1), worker="a test", detail="before this test"
        )

    scene.use(record)


def start(scene: Scene, *jobs: dict[str, Any], **options: Any) -> Any:
    given = [{"cron_expression": "* * * * *", **job} for job in jobs]
    return scene.start(schedule=True, scheduled_ingestion_jobs=given, maintenance=NO_MAINTENANCE, **options)


def results(scene: Scene, name: str) -> list[Any]:
    return [
        row[0]
        for row in scene.read(
            f"SELECT result FROM cron_runs WHERE name = '{name}' AND worker <> 'a test' ORDER BY scheduled_for"
        )
    ]


def test_a_run_that_was_lost_with_its_process_is_closed_and_the_next_time_runs(scene: Scene) -> None:
    missed(scene, "ledger")
    first = start(
        scene, {"job_type": "ledger"}, stop_at="cron.begun=kill", lock_timeout_minutes=scene.restart_lease
    )
    until(first.has_ended, "the process was killed at its stop-point")
    assert results(scene, "ledger") == [None]
    scene.change(f"UPDATE cron_runs SET scheduled_for = scheduled_for - {LONG_AGO[not scene.on_sqlite]}")
    scene.change("UPDATE workers SET lease_until = started_at")
    second = start(scene, {"job_type": "ledger"})
    until(lambda: results(scene, "ledger")[:2] == ["lost", "succeeded"], "the next time has run")
    assert len(second.events("cron.lost")) == 1
    second.stop()
    scene.assert_sound()


def test_a_folder_is_ingested_file_by_file_and_each_version_once(scene: Scene) -> None:
    missed(scene, "inbox")
    folder = scene.folder / "in"
    folder.mkdir()
    for name in ("a.ndjson", "b.ndjson", "c.txt"):
        path = scene.write(f"in/{name}", [f'{{"idempotency_key": "{name}"}}'])
        os.utime(path, (time.time() - 100, time.time() - 100))
    scene.write("in/young.ndjson", ['{"idempotency_key": "young"}'])
    inbox = {"job_type": "ledger", "folder": "in", "name": "inbox"}
    workers = [start(scene, inbox, ready=False) for _ in range(3)]
    for worker in workers:
        worker.wait_ready()
    until(lambda: results(scene, "inbox")[:1] == ["succeeded"], "the folder was looked at")
    until(lambda: len(scene.read("SELECT id FROM jobs")) == 2, "two files were triggered")
    scene.wait_ended()
    for worker in workers:
        worker.stop()
    names = scene.read("SELECT source_name, accepted, duplicates FROM jobs ORDER BY source_name")
    assert names == [("a.ndjson", 1, 0), ("b.ndjson", 1, 0)]
    detail = scene.value(
        "SELECT detail FROM cron_runs WHERE name = 'inbox' AND result = 'succeeded' ORDER BY scheduled_for"
    )
    assert detail == "jobs 1, 2; 1 changed just now and waits for the next time"
    scene.assert_each_ran_once()
    scene.assert_sound()
