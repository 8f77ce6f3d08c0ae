"""SIGTERM: no more claims, the grace for what runs, the rest given back without an attempt, exit code 0."""

import json
import time

import pytest

from tests.postgres import PostgresServer
from tests.process.databases import on
from tests.process.polling import pass_time, until
from tests.process.scene import Scene

pytestmark = pytest.mark.process
GRACE = 1.0


def stop_within(scene: Scene, seconds: float) -> None:
    """Stop the last process started; it ends cleanly in time and holds nothing (I26)."""
    child = scene.children[-1]
    began = time.monotonic()
    child.stop(seconds + 10)
    assert time.monotonic() - began < seconds, f"took {time.monotonic() - began:.1f} s to stop"
    assert scene.read("SELECT job_id, first_seq FROM slices WHERE state = 1") == []
    assert scene.read("SELECT id FROM jobs WHERE ingest_worker IS NOT NULL") == []


@pytest.mark.parametrize("database", ["sqlite", "postgres16", "postgres18"], indirect=True)
def test_an_idle_process_ends_at_once(scene: Scene) -> None:
    scene.start()
    stop_within(scene, 3)
    scene.assert_sound()


def test_work_that_ends_within_the_grace_is_settled(scene: Scene) -> None:
    job = scene.submit("ledger", [{"ms": 600}] * 10)
    scene.start(shutdown_grace_seconds=10, max_concurrency_per_worker=10)
    scene.wait_started(10)
    stop_within(scene, 5)

    assert scene.statuses(job) == {"succeeded": 10}
    assert scene.lapses() == []
    scene.assert_each_ran_once()
    scene.assert_sound()


def test_a_handler_that_takes_longer_than_the_grace_is_given_back_without_an_attempt(scene: Scene) -> None:
    job = scene.submit("gate", [{}] * 30)
    scene.start(shutdown_grace_seconds=GRACE, max_concurrency_per_worker=3)
    scene.wait_started(3)
    stop_within(scene, GRACE + 3)

    (lapse,) = scene.lapses()
    assert lapse[3] == "released"
    assert scene.attempts() == []
    assert scene.statuses(job) == {"pending": 30}

    scene.gate.open()
    second = scene.start()
    scene.wait_ended()
    second.stop()
    assert scene.statuses(job) == {"succeeded": 30}
    assert scene.attempts() == []
    assert {line.attempt for line in scene.ledger.lines()} == {1}
    scene.assert_sound()


def test_what_was_done_before_the_grace_was_over_stands(scene: Scene) -> None:
    """Of one slice, some items end and others do not: those that did never run again."""
    job = scene.submit("ledger", [{"ms": 1}] * 5 + [{"ms": 60_000}] * 5)
    scene.start(shutdown_grace_seconds=0.2, max_concurrency_per_worker=10, lock_timeout_minutes=2)
    until(lambda: len(scene.ledger.ends()) == 5, "the quick ones have ended")
    stop_within(scene, 4)

    assert scene.statuses(job) == {"succeeded": 5, "pending": 5}
    assert scene.attempts() == []
    scene.assert_sound()


def test_a_handler_that_ignores_its_cancellation_does_not_keep_the_process(scene: Scene) -> None:
    job = scene.submit("stubborn", [{"ms": 20_000}] * 3)
    scene.start(shutdown_grace_seconds=GRACE)
    scene.wait_started(3)
    stop_within(scene, GRACE + 4)

    assert {kind for *_, kind, _ in scene.lapses()} == {"released"}
    assert scene.attempts() == []
    assert scene.statuses(job) == {"pending": 3}
    scene.assert_sound()


def test_a_thread_that_does_not_come_back_does_not_keep_the_process(scene: Scene) -> None:
    job = scene.submit("thread", [{"ms": 20_000}])
    scene.start(shutdown_grace_seconds=0.2)
    scene.wait_started(1)
    stop_within(scene, 5)

    assert sum(scene.statuses(job).values()) == 1
    scene.assert_sound()


def test_an_ingestion_is_given_back_and_goes_on_elsewhere_at_once(scene: Scene) -> None:
    """The lease is five minutes: without the giving back, another process would have to wait for it."""
    scene.write("source.ndjson", (json.dumps({"idempotency_key": f"k-{n}"}) for n in range(6_000)))
    job = scene.submit_file("ledger", "source.ndjson")
    scene.start(lock_timeout_minutes=5, chunk_size=10)
    until(lambda: scene.value("SELECT line FROM jobs") > 0, "the source is being read")
    stop_within(scene, 5)
    assert scene.value("SELECT sealed_at FROM jobs") is None
    assert 0 < scene.value("SELECT line FROM jobs") < 6_000

    second = scene.start(lock_timeout_minutes=5, max_concurrency_per_worker=100)
    until(lambda: scene.value("SELECT sealed_at FROM jobs") is not None, "the source is read", seconds=30)
    scene.wait_ended(60)
    second.stop()
    assert scene.statuses(job) == {"succeeded": 6_000}
    scene.assert_each_ran_once()
    scene.assert_sound()


@on("postgres18")
def test_a_stop_while_the_database_is_away_ends_in_bounded_time(
    scene: Scene, postgres18: PostgresServer
) -> None:
    job = scene.submit("ledger", [{"ms": 300}] * 20)
    child = scene.start(shutdown_grace_seconds=GRACE)
    scene.wait_started(1)
    postgres18.stop("immediate")
    try:
        child.terminate()
        code = child.wait(GRACE + 12)
    finally:
        postgres18.start()
    assert code == 0

    second = scene.start()
    scene.wait_ended()
    second.stop()
    assert scene.statuses(job) == {"succeeded": 20}
    assert scene.attempts() == []
    scene.assert_sound()


def test_a_second_sigterm_ends_the_process_at_once(scene: Scene) -> None:
    scene.submit("gate", [{}])
    child = scene.start(shutdown_grace_seconds=60)
    scene.wait_started(1)
    child.terminate()
    until(
        lambda: scene.value("SELECT count(*) FROM workers WHERE CAST(draining AS INTEGER) = 1"),
        "it is draining",
    )
    child.terminate()
    assert child.wait(5) != 0

    scene.gate.open()
    second = scene.start(lock_timeout_minutes=scene.restart_lease)
    scene.wait_ended()
    second.stop()
    scene.assert_sound()


@pytest.mark.parametrize("moment", [0.2, 0.35, 0.5, 0.8])
def test_a_sigterm_during_the_start_leaves_nothing_held(scene: Scene, moment: float) -> None:
    job = scene.submit("ledger", [{"ms": 1}] * 200)
    child = scene.start(ready=False)
    pass_time(moment)
    child.terminate()
    child.wait(10)
    second = scene.start(lock_timeout_minutes=scene.restart_lease)
    scene.wait_ended()
    second.stop()

    assert scene.statuses(job) == {"succeeded": 200}
    scene.assert_sound()
