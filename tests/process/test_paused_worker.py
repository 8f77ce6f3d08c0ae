"""A worker that is stopped (SIGSTOP) for longer than its lease, and wakes after its work was taken over."""

import json

import pytest

from batchanator.app.runtime import Runtime
from batchanator.store.driver import Row
from batchanator.store.statements import load
from tests.process.databases import on
from tests.process.polling import pass_time, until
from tests.process.scene import SHORT_LEASE, Scene

pytestmark = pytest.mark.process
LAPSES = load("lapses/list")
LONGER_THAN_THE_LEASE = SHORT_LEASE * 60 * 1.3


def charged(scene: Scene) -> list[Row]:
    """Return the lapses that are charged as crashes, as the API's list says it."""
    jobs = scene.read("SELECT id FROM jobs")

    async def listed(runtime: Runtime) -> list[Row]:
        session = runtime.store.session
        return [
            row
            for (job,) in jobs
            for row in await session.fetch(LAPSES, job_id=job, after_seq=0, after_fence=0, limit=1000)
            if row["charged"]
        ]

    return scene.use(listed)


@on("sqlite", "postgres16", "postgres18")
@pytest.mark.parametrize("where", ["in a handler", "settle.before", "claim.after"])
def test_a_zombie_counts_nothing_twice_and_works_on_as_a_new_incarnation(scene: Scene, where: str) -> None:
    job = scene.submit("gate", [{}] * 30)
    zombie = scene.start(
        stop_at="" if where == "in a handler" else f"{where}=stop",
        max_concurrency_per_worker=10,
        ready=where == "in a handler",
    )
    if where == "in a handler":
        scene.wait_started(10)
        zombie.pause()
    elif where == "settle.before":
        scene.wait_started(10)
        scene.gate.open()
    zombie.wait_stopped()
    held = scene.value("SELECT count(*) FROM slices WHERE state = 1")
    assert held > 0
    scene.gate.open()

    heir = scene.start()
    scene.wait_ended()
    assert scene.statuses(job) == {"succeeded": 30}
    counted = scene.read("SELECT succeeded, skipped, dead, cancelled, batches_open FROM jobs")
    assert len(scene.lapses()) >= held

    zombie.go_on()
    until(lambda: len(zombie.events("worker.registered")) == 2, "the zombie is a new incarnation")
    if where == "settle.before":
        until(lambda: zombie.events("settle.refused"), "its settle is refused")
    assert scene.read("SELECT succeeded, skipped, dead, cancelled, batches_open FROM jobs") == counted
    heir.stop()
    assert charged(scene) == []  # it was seen again: no crash

    more = scene.submit("ledger", [{"ms": 1}] * 50, prefix="more")
    scene.wait_ended()
    assert scene.statuses(more) == {"succeeded": 50}
    assert {line.pid for line in scene.ledger.lines() if line.job == more} == {zombie.pid}
    zombie.stop()
    scene.assert_sound(in_order=False)


def test_an_item_that_outlives_three_pauses_of_its_worker_is_no_crash(scene: Scene) -> None:
    """Nobody else is there to take over: the worker recovers its own slices, which are no crashes (T_CHARGE)."""
    job = scene.submit("gate", [{}])
    worker = scene.start(max_crashes=2)
    for pause in range(1, 4):
        scene.wait_lines(pause)
        worker.pause()
        pass_time(LONGER_THAN_THE_LEASE)
        worker.go_on()
        scene.wait_lapses(pause)
    assert charged(scene) == []

    scene.gate.open()
    scene.wait_ended()
    worker.stop()
    assert scene.statuses(job) == {"succeeded": 1}
    assert scene.attempts() == []
    scene.assert_sound(in_order=False)


def test_a_paused_ingestion_is_taken_over_and_writes_nothing_when_it_wakes(scene: Scene) -> None:
    scene.write("source.ndjson", (json.dumps({"idempotency_key": f"k-{n}"}) for n in range(400)))
    job = scene.submit_file("ledger", "source.ndjson")
    where = "ingest.after_commit" if scene.on_sqlite else "ingest.before_commit"  # SQLite's lock would stay
    zombie = scene.start(stop_at=f"{where}:3=stop")
    zombie.wait_stopped()
    assert scene.value("SELECT sealed_at FROM jobs") is None
    if not scene.on_sqlite:
        assert 0 < scene.value("SELECT line FROM jobs") < 400

    heir = scene.start()
    # On PostgreSQL the zombie's transaction holds the job's row: it goes on first, and loses.
    pass_time(LONGER_THAN_THE_LEASE)
    if not scene.on_sqlite:
        zombie.go_on()
    until(lambda: scene.value("SELECT sealed_at FROM jobs") is not None, "the source is read to its end")
    if scene.on_sqlite:
        zombie.go_on()
    scene.wait_ended()
    until(lambda: len(zombie.events("worker.registered")) == 2, "the zombie is a new incarnation")
    heir.stop()
    zombie.stop()
    assert scene.statuses(job) == {"succeeded": 400}
    assert scene.read("SELECT lines, accepted, duplicates FROM jobs") == [(400, 400, 0)]
    scene.assert_sound(in_order=False)
