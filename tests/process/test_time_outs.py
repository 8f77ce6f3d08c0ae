"""Handlers that block the event loop, hang, or take no notice: the lease lives, the attempt ends."""

import pytest

from tests.process.scene import SHORT_LEASE, Scene

pytestmark = pytest.mark.process
THREE_LEASES_MS = round(SHORT_LEASE * 60_000 * 3)


def test_a_handler_that_blocks_the_event_loop_for_three_leases_costs_no_lease(scene: Scene) -> None:
    """The heartbeat has a thread of its own. A second worker stands by and would take over."""
    job = scene.submit("blocker", [{"ms": THREE_LEASES_MS}, {"ms": 1}, {"ms": 1}])
    first = scene.start()
    scene.wait_started(1)
    second = scene.start()
    scene.wait_ended()
    second.stop()
    first.stop()

    assert scene.statuses(job) == {"succeeded": 3}
    assert scene.lapses() == []
    assert not first.events("lease.lost")
    assert len(first.events("worker.registered")) == 1
    scene.assert_each_ran_once()
    scene.assert_sound()


@pytest.mark.parametrize("job_type", ["slow", "thread"])
def test_a_handler_that_hangs_beyond_its_time_out_fails_that_attempt_and_no_other(
    scene: Scene, job_type: str
) -> None:
    """Attempts of half a second; a thread cannot be stopped, and may end when nobody waits for it any more."""
    job = scene.submit(job_type, [{"ms": 2500}, {"ms": 1}, {"ms": 1}])
    worker = scene.start(max_concurrency_per_worker=3)
    scene.wait_ended()

    assert scene.statuses(job) == {"succeeded": 2, "dead": 1}
    assert scene.attempts() == [(job, 1, 1, "timeout"), (job, 1, 2, "timeout")]
    assert scene.read("SELECT reason, attempts FROM outcomes WHERE status = 'dead'") == [("exhausted", 2)]
    assert scene.lapses() == []
    worker.stop()
    scene.assert_sound()


def test_hung_threads_leave_room_for_the_others(scene: Scene) -> None:
    job = scene.submit("thread", [{"ms": 4000}] * 2 + [{"ms": 1}] * 40)
    worker = scene.start(max_concurrency_per_worker=2)
    scene.wait_ended(20)

    assert scene.statuses(job) == {"succeeded": 40, "dead": 2}
    assert {code for *_, code in scene.attempts()} == {"timeout"}
    worker.stop()
    scene.assert_sound()


def test_a_handler_that_ignores_its_time_out_still_fails_the_attempt(scene: Scene) -> None:
    """Else its item would stay without an outcome, and its job without an end, for as long as it likes."""
    job = scene.submit("stubborn-in-time", [{"ms": 60_000}] + [{"ms": 1}] * 5)
    scene.start(max_concurrency_per_worker=2)
    scene.wait_ended(10)

    assert scene.statuses(job) == {"succeeded": 5, "dead": 1}
    assert scene.attempts() == [(job, 1, 1, "timeout")]
    scene.assert_sound()
