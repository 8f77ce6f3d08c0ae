"""Several processes on one database: every item exactly once, every job ends once, one schema."""

import json

import pytest

from tests.process.polling import until
from tests.process.scene import Scene

pytestmark = pytest.mark.process
LEASE = 2  # minutes: nobody dies here, and a busy machine costs no lease


@pytest.mark.parametrize("processes", [2, 4])
def test_processes_share_the_work_and_each_item_runs_once(scene: Scene, processes: int) -> None:
    for number in range(3):
        keys = (f"{number}-{line}" for line in range(500))
        scene.write(f"{number}.ndjson", (json.dumps({"idempotency_key": key, "ms": 5}) for key in keys))
    jobs = [scene.submit_file("ledger", f"{number}.ndjson") for number in range(3)]
    workers = [
        scene.start(ready=False, lock_timeout_minutes=LEASE, max_concurrency_per_worker=4)
        for _ in range(processes)
    ]
    for worker in workers:
        worker.wait_ready()
    scene.wait_ended()
    for worker in workers:
        worker.stop()

    assert [scene.statuses(job) for job in jobs] == [{"succeeded": 500}] * 3
    assert len({line.pid for line in scene.ledger.lines()}) == processes
    assert scene.read("SELECT job_id, round FROM events ORDER BY job_id") == [(job, 1) for job in jobs]
    assert scene.lapses() == []
    scene.assert_each_ran_once()
    scene.assert_sound()


def test_ten_processes_that_start_at_once_on_an_empty_database_all_run(scene: Scene) -> None:
    workers = [scene.start(ready=False, lock_timeout_minutes=LEASE) for _ in range(10)]
    for worker in workers:
        worker.wait_ready()
        assert not worker.has_ended(), worker.log
    versions = [
        version for (version,) in scene.read("SELECT version FROM schema_migrations ORDER BY version")
    ]
    assert versions == list(range(1, len(versions) + 1))
    assert sum(len(worker.events("migration.applied")) for worker in workers) == len(versions)

    job = scene.submit("ledger", [{"ms": 1}] * 500)
    until(lambda: scene.statuses(job) == {"succeeded": 500}, "all is done")
    for worker in workers:
        worker.terminate()
    assert [worker.wait() for worker in workers] == [0] * 10
    scene.assert_each_ran_once()
    scene.assert_sound()
