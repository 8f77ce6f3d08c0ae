"""The database goes away and comes back: no item is lost, no attempt is charged, everything ends."""

import contextlib

import pytest

from tests.postgres import PostgresServer
from tests.process.databases import on
from tests.process.polling import pass_time
from tests.process.reading import connect_sqlite
from tests.process.scene import SHORT_LEASE, Scene

pytestmark = pytest.mark.process
ITEMS = 5_000
OUR_SESSIONS = """SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'batchanator'"""
LONGER_THAN_THE_LEASE = SHORT_LEASE * 60 * 1.3


@pytest.fixture
def server(request: pytest.FixtureRequest, database: str) -> PostgresServer:
    found = request.getfixturevalue(database)
    assert isinstance(found, PostgresServer)
    return found


def write_source(scene: Scene, count: int, ms: int) -> int:
    scene.write("source.ndjson", (f'{{"idempotency_key": "k-{n}", "ms": {ms}}}' for n in range(count)))
    return scene.submit_file("ledger", "source.ndjson")


def assert_all_well(scene: Scene, job: int, count: int) -> None:
    assert scene.statuses(job) == {"succeeded": count}
    assert scene.attempts() == []
    assert scene.read("SELECT seq FROM outcomes WHERE status <> 'succeeded'") == []
    assert len(scene.ledger.starts()) == count


@on("postgres16", "postgres18")
def test_restarts_of_the_server_in_the_middle_lose_nothing(scene: Scene, server: PostgresServer) -> None:
    """Five immediate stops and starts, the first while the source is read, one away for longer than the lease."""
    job = write_source(scene, ITEMS, 5)
    workers = [scene.start(max_concurrency_per_worker=10) for _ in range(2)]
    interrupted = 0
    for stop in range(1, 6):
        scene.wait_succeeded(round(ITEMS * (stop - 1) * 0.15) + 50)
        interrupted += bool(scene.open_jobs())
        server.stop("immediate")
        if stop == 3:
            pass_time(LONGER_THAN_THE_LEASE)
        server.start()
    scene.wait_ended(60)
    for worker in workers:
        worker.stop()

    assert interrupted == 5
    assert any(worker.events("lease.lost") for worker in workers)
    assert_all_well(scene, job, ITEMS)
    scene.assert_sound(in_order=False)


@on("postgres18")
def test_an_item_that_outlives_three_outages_longer_than_the_lease_is_no_crash(
    scene: Scene, server: PostgresServer
) -> None:
    job = scene.submit("gate", [{}])
    worker = scene.start(max_crashes=2)
    for outage in range(1, 4):
        scene.wait_lines(outage)
        server.stop("immediate")
        pass_time(LONGER_THAN_THE_LEASE)
        server.start()
        scene.wait_lapses(outage)
    scene.gate.open()
    scene.wait_ended()
    worker.stop()

    assert_all_well(scene, job, 1)
    scene.assert_sound(in_order=False)


@on("postgres18")
def test_each_of_our_sessions_may_be_ended_by_the_server(scene: Scene, server: PostgresServer) -> None:
    job = write_source(scene, 3_000, 5)
    worker = scene.start()
    ended = 0
    for _ in range(3):
        scene.wait_succeeded(scene.succeeded() + 20)
        for (pid,) in scene.read(OUR_SESSIONS):  # the pool's and the heartbeat's, one after the other
            ended += scene.value(f"SELECT pg_terminate_backend({pid})")
            pass_time(0.05)
    assert scene.open_jobs()
    scene.wait_ended()
    worker.stop()

    assert ended >= 10
    assert_all_well(scene, job, 3_000)
    assert not worker.events("duty.broke")
    assert not worker.events("ingestion.broke")
    scene.assert_sound(in_order=False)


@on("sqlite")
def test_a_lock_of_another_process_outlasts_the_busy_time_out_and_the_lease(scene: Scene) -> None:
    """Eleven seconds; our connections wait for ten."""
    job = write_source(scene, 1_000, 5)
    worker = scene.start()
    scene.wait_succeeded(50)
    with contextlib.closing(connect_sqlite(scene.url, "rw")) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert scene.open_jobs()
        pass_time(11)
        other.execute("ROLLBACK")
    scene.wait_ended()
    worker.stop()

    assert worker.events("lease.lost")
    assert_all_well(scene, job, 1_000)
    scene.assert_sound(in_order=False)


@on("sqlite")
def test_a_lock_that_a_statement_waits_for_does_not_outlive_its_cancellation(scene: Scene) -> None:
    """A stop cancels an ingestion that waits for its BEGIN: the source is given back all the same."""
    write_source(scene, 1_000, 0)
    worker = scene.start(lock_timeout_minutes=5, dispatch=False, stop_at="ingest.after_commit:2=stop")
    worker.wait_stopped()
    with contextlib.closing(connect_sqlite(scene.url, "rw")) as other:
        other.execute("BEGIN IMMEDIATE")
        worker.go_on()
        pass_time(0.3)
        worker.terminate()
        pass_time(0.5)
        other.execute("ROLLBACK")
    assert worker.wait() == 0

    assert scene.value("SELECT sealed_at FROM jobs") is None
    assert scene.value("SELECT ingest_worker FROM jobs") is None
    scene.assert_sound()


@on("postgres18")
def test_a_primary_that_became_read_only_under_work_costs_no_item_and_no_attempt(
    scene: Scene, server: PostgresServer
) -> None:
    """What a demoted primary looks like: it reads on, and refuses each write, for longer than the lease."""
    job = write_source(scene, 3_000, 5)
    worker = scene.start()
    scene.wait_succeeded(50)
    try:
        server.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        server.execute("SELECT pg_reload_conf()")
        pass_time(LONGER_THAN_THE_LEASE)
        assert scene.open_jobs()
    finally:
        server.execute("ALTER SYSTEM RESET default_transaction_read_only")
        server.execute("SELECT pg_reload_conf()")
    scene.wait_ended(60)
    worker.stop()

    assert "read-only transaction" in worker.log
    assert not worker.events("duty.broke")
    assert_all_well(scene, job, 3_000)
    scene.assert_sound(in_order=False)
