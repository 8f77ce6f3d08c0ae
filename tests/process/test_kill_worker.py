"""kill -9 of a worker at each of its stop-points: a second start ends everything, each lost claim is on record."""

import pytest

from tests.process.polling import until
from tests.process.scene import Scene

pytestmark = pytest.mark.process
KILLED = -9
# Some need an attempt more, some fail for good, some are skipped.
WORKS = [{"ms": 3}] * 120 + [{"fail": 1}] * 6 + [{"then": "die"}] * 2 + [{"then": "skip"}] * 2
ENDED = {"succeeded": 126, "dead": 2, "skipped": 2}


def lapsed(scene: Scene) -> set[tuple[int, int, int]]:
    return {(job, first, fence) for job, first, fence, kind, _ in scene.lapses() if kind == "lapsed"}


@pytest.mark.parametrize(
    ("where", "loses_claims"),
    [
        ("claim.before", False),
        ("claim.before:2", None),
        ("claim.after", True),
        ("claim.after:2", None),
        ("settle.before", True),
        ("settle.before:3", True),
        ("settle.after", None),
        ("settle.after:3", None),
    ],
)
def test_a_second_start_ends_what_a_killed_worker_had_claimed(
    scene: Scene, where: str, loses_claims: bool | None
) -> None:
    job = scene.submit("ledger", WORKS)
    first = scene.start(stop_at=f"{where}=kill", lock_timeout_minutes=scene.restart_lease)
    assert first.wait() == KILLED
    held = set(scene.read("SELECT job_id, first_seq, fence FROM slices WHERE state = 1"))
    if loses_claims is not None:
        assert bool(held) == loses_claims

    second = scene.start(lock_timeout_minutes=scene.restart_lease)
    scene.wait_ended(20)  # far less than a lease of five minutes
    second.stop()

    assert scene.statuses(job) == ENDED
    assert lapsed(scene) == held
    scene.assert_sound()


@pytest.mark.parametrize("way", ["kill", "exit"])
def test_a_worker_that_ends_in_the_middle_of_an_item_leaves_a_lapse_and_the_item_runs_again(
    scene: Scene, way: str
) -> None:
    job = scene.submit("gate", [{}])
    if way == "kill":
        first = scene.start(lock_timeout_minutes=scene.restart_lease)
        scene.wait_started(1)
        first.kill()
    else:
        first = scene.start(stop_at="settle.before=exit", lock_timeout_minutes=scene.restart_lease)
        scene.wait_started(1)
        scene.gate.open()
        assert first.wait() == 13

    scene.gate.open()
    second = scene.start()
    scene.wait_ended()
    second.stop()

    assert scene.statuses(job) == {"succeeded": 1}
    assert len(scene.lapses()) == 1
    (starts,) = scene.ledger.starts().values()
    assert len(starts) == 2
    assert starts[0].fence < starts[1].fence
    assert [line.attempt for line in starts] == [1, 1]  # a lapse is no attempt
    scene.assert_sound()


def test_a_process_that_runs_already_takes_over_from_a_killed_one_at_once(scene: Scene) -> None:
    """Young as it is: on SQLite it knows that the other is dead, and need not wait for any lease."""
    job = scene.submit("gate", [{}] * 10)
    first = scene.start(lock_timeout_minutes=scene.restart_lease)
    scene.wait_started(10)
    second = scene.start(lock_timeout_minutes=scene.restart_lease)
    first.kill()
    scene.gate.open()
    scene.wait_ended(10)
    second.stop()

    assert scene.statuses(job) == {"succeeded": 10}
    assert len(scene.lapses()) == 1
    scene.assert_sound()


def test_what_a_killed_worker_held_is_freed_by_one_that_only_ingests(scene: Scene) -> None:
    """Else a young process, which waits for others to report, would wait long for what it could have at once."""
    job = scene.submit("gate", [{}] * 10)
    first = scene.start(ingest=False, lock_timeout_minutes=scene.restart_lease)
    scene.wait_started(10)
    first.kill()
    reader = scene.start(dispatch=False, lock_timeout_minutes=scene.restart_lease)
    if scene.on_sqlite:
        scene.wait_lapses(1)
    scene.gate.open()
    second = scene.start(ingest=False, lock_timeout_minutes=scene.restart_lease)
    scene.wait_ended(10)
    second.stop()
    reader.stop()

    assert scene.statuses(job) == {"succeeded": 10}
    assert len(scene.lapses()) == 1
    scene.assert_sound()


def test_a_worker_killed_before_a_suspect_item_names_it_and_nothing_dies_of_one_crash(scene: Scene) -> None:
    job = scene.submit("ledger", WORKS)
    for where in ("settle.before", "suspect.before_item", "suspect.before_item:4"):
        killed = scene.start(stop_at=f"{where}=kill", lock_timeout_minutes=scene.restart_lease)
        assert killed.wait() == KILLED
    last = scene.start(lock_timeout_minutes=scene.restart_lease)
    scene.wait_ended()
    last.stop()

    named = scene.read("SELECT running_seq FROM lapses WHERE running_seq IS NOT NULL")
    assert len(named) == 2
    assert scene.statuses(job) == ENDED
    scene.assert_sound()


def test_a_recovery_that_is_killed_before_its_statement_is_made_by_the_next_start(scene: Scene) -> None:
    job = scene.submit("ledger", WORKS)
    for where in ("claim.after", "recover.before"):
        killed = scene.start(stop_at=f"{where}=kill", lock_timeout_minutes=scene.restart_lease)
        assert killed.wait() == KILLED
    last = scene.start(lock_timeout_minutes=scene.restart_lease)
    scene.wait_ended()
    last.stop()

    assert lapsed(scene)
    assert scene.statuses(job) == ENDED
    scene.assert_sound()


@pytest.mark.parametrize("where", ["cancel.committed", "sweep.before", "sweep.before:2"])
def test_a_cancel_outlives_whoever_asked_for_it_and_whoever_sweeps(scene: Scene, where: str) -> None:
    job = scene.submit("gate", [{}] * 300)
    first = scene.start(
        stop_at=f"{where}=kill", then={"cancel": job}, lock_timeout_minutes=scene.restart_lease
    )
    assert first.wait() == KILLED
    scene.gate.open()
    at_start = where == "sweep.before"  # before anyone asked
    second = scene.start(then={"cancel": job} if at_start else None)
    until(lambda: not scene.open_jobs(), "the cancelled job has ended")
    second.stop()

    assert scene.value(f"SELECT status FROM jobs WHERE id = {job}") == "cancelled"
    statuses = scene.statuses(job)
    assert sum(statuses.values()) == 300
    assert set(statuses) <= {"cancelled", "succeeded"}
    assert statuses["cancelled"] > 0
    scene.assert_sound()


def test_direct_items_are_there_whole_or_not_at_all(scene: Scene) -> None:
    items = [[f"k-{number}", '{"ms": 1}'] for number in range(1, 101)]
    for where in ("ingest.items:2", "ingest.finish:3"):
        killed = scene.start(stop_at=f"{where}=kill", then={"items": ["ledger", items]})
        assert killed.wait() == KILLED
        assert scene.read("SELECT id FROM jobs") == []
        assert scene.read("SELECT key FROM idempotency_keys") == []
    last = scene.start(then={"items": ["ledger", items]})
    until(lambda: scene.read("SELECT id FROM jobs"), "the items are there")
    scene.wait_ended()
    last.stop()

    assert scene.value("SELECT count(*) FROM items") == 100
    scene.assert_each_ran_once()
    scene.assert_sound()
