"""An item that takes its worker with it each time: dead after `max_crashes` named crashes, its neighbours unharmed."""

from collections import Counter

import pytest

from tests.process.polling import until
from tests.process.scene import Scene

pytestmark = pytest.mark.process
GOOD = 200
MAX_CRASHES = 2


@pytest.mark.parametrize("way", ["kill", "exit"])
def test_a_poison_item_is_dead_after_so_many_crashes_and_harms_nobody(scene: Scene, way: str) -> None:
    works: list[dict[str, object]] = [{"ms": 1}] * (GOOD + 1)
    works[77] = {"crash": way}
    job = scene.submit("poison", works)
    poison = (job, 78)

    crashes = 0
    while scene.open_jobs():  # a supervisor starts the worker again whenever it dies
        assert crashes < 10, "the poison goes on killing"
        worker = scene.start(
            lock_timeout_minutes=scene.restart_lease, max_crashes=MAX_CRASHES, max_concurrency_per_worker=4
        )
        wait_over(scene)
        if worker.has_ended():
            crashes += 1
    scene.children[-1].stop()

    assert scene.statuses(job) == {"succeeded": GOOD, "dead": 1}
    status = "SELECT seq, status, reason, error_code FROM outcomes WHERE status = 'dead'"
    assert scene.read(status) == [(78, "dead", "crashed", "crashed")]
    starts = scene.ledger.starts()
    assert len(starts[poison]) == crashes == 1 + MAX_CRASHES  # at first it is not known who did it
    assert scene.value("SELECT count(*) FROM lapses WHERE running_seq = 78") == MAX_CRASHES
    others = Counter({item: len(lines) for item, lines in starts.items() if item != poison})
    assert len(others) == GOOD
    assert max(others.values()) <= 2  # those that were in hand at the first crash, and no more
    assert scene.attempts() == []
    scene.assert_sound()


def wait_over(scene: Scene) -> None:
    worker = scene.children[-1]
    until(lambda: worker.has_ended() or not scene.open_jobs(), "the worker has died or the job has ended")
