"""kill -9 at fifty seeded moments of a mixed workload: nothing is lost, counted twice or unexplained."""

import json
import random
from typing import Any

import pytest

from tests.process.polling import pass_time
from tests.process.scene import Scene

pytestmark = pytest.mark.process
SEEDS = range(50)
LINES = 60


def workload(chance: random.Random, number: int) -> list[str]:
    """Lines that succeed, fail first, fail for good, are skipped; some that are no items, some sent before."""
    lines = []
    for line in range(LINES):
        work: dict[str, Any] = {"idempotency_key": f"{number}-{line}", "ms": chance.choice((0, 1, 5, 20))}
        match chance.randrange(20):
            case 0:
                work["fail"] = chance.choice((1, 2))
            case 1:
                work["then"] = chance.choice(("die", "skip"))
            case 2:
                work["idempotency_key"] = f"{max(number - 1, 0)}-{line}"
            case 3:
                work["idempotency_key"] = None
            case _:
                pass
        lines.append(json.dumps(work))
    return lines


def test_fifty_kills_at_seeded_moments_lose_nothing(scene: Scene) -> None:
    written = 0
    killed_at_work = 0
    # So many deaths would make dead letters of items that only happened to run: not what this is about.
    settings: dict[str, Any] = {
        "max_crashes": 100,
        "lock_timeout_minutes": scene.restart_lease,
        "chunk_size": 20,
    }
    for seed in SEEDS:
        chance = random.Random(seed)
        name = f"{seed}.ndjson"
        scene.write(name, workload(chance, seed))
        scene.submit_file(chance.choice(("ledger", "ledger", "whole")), name)
        written += LINES
        during_start = chance.random() < 0.2
        child = scene.start(ready=not during_start, **settings)
        pass_time(chance.uniform(0, 0.5 if during_start else 0.25))
        killed_at_work += bool(scene.open_jobs())
        child.kill()

    last = scene.start(**settings)
    scene.wait_ended(60)
    last.stop()

    assert killed_at_work >= 40
    assert len(scene.lapses()) >= 10
    lines, accepted = scene.read("SELECT sum(lines), sum(accepted) FROM jobs")[0]
    assert lines == written
    items = scene.read("SELECT job_id, seq FROM items ORDER BY job_id, seq")
    assert len(items) == accepted
    assert items == sorted(scene.ledger.starts())
    assert not scene.read("SELECT job_id, seq FROM outcomes WHERE reason = 'crashed'")
    scene.assert_sound()
