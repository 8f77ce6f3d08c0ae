"""Limits between real processes, and how soon one hears of what another did."""

import time
from typing import Any

import pytest

from batchanator.app.runtime import Runtime
from batchanator.store.limiting import limit_job_type
from tests.process.scene import Scene

pytestmark = pytest.mark.process
LEASE = 2  # minutes: nobody dies here, and a busy machine costs no lease
RATE = 40.0


def limit(scene: Scene, **changes: Any) -> None:
    async def work(runtime: Runtime) -> None:
        await limit_job_type(runtime.store, runtime.wakeups, "ledger", changes, actor="a test")

    scene.use(work)


def test_a_rate_holds_over_two_processes_until_they_are_lifted(scene: Scene) -> None:
    limit(scene, rate=RATE)
    workers = [scene.start(ready=False, lock_timeout_minutes=LEASE) for _ in range(2)]
    for worker in workers:
        worker.wait_ready()
    jobs = [scene.submit("ledger", [{}] * 80, prefix=prefix) for prefix in ("a", "b")]
    scene.wait_started(41)
    began, from_count = time.monotonic(), len(scene.ledger.starts())
    scene.wait_started(121)
    took, count = time.monotonic() - began, len(scene.ledger.starts()) - from_count
    assert 0.85 * RATE <= count / took <= 1.1 * RATE

    limit(scene, rate=None)
    scene.wait_ended(10)
    for worker in workers:
        worker.stop()
    assert [scene.statuses(job) for job in jobs] == [{"succeeded": 80}] * 2
    assert len({line.pid for line in scene.ledger.lines()}) == 2
    scene.assert_each_ran_once()
    scene.assert_sound()


@pytest.mark.parametrize("database", ["postgres18"])
def test_a_process_hears_at_once_of_what_another_has_submitted(scene: Scene) -> None:
    worker = scene.start(polling_interval_seconds=600, lock_timeout_minutes=LEASE)
    for count in range(1, 4):
        scene.submit("ledger", [{}] * 5, prefix=str(count))
        scene.wait_ended(10)
        assert scene.succeeded() == 5 * count
    worker.stop()
    scene.assert_sound()
