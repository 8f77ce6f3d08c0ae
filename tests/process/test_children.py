"""Handlers that compute, in children of the service: no death of one costs anybody else anything."""

import os
import signal

import pytest

from tests.process.polling import until
from tests.process.scene import Scene
from tests.process.serving import ask, command, free_port, is_ready

pytestmark = pytest.mark.process
HANDLERS = "tests.process.computing"


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def children(scene: Scene) -> set[int]:
    return {line.pid for line in scene.ledger.lines()}


def test_children_that_die_charge_their_own_items_and_end_with_the_service(scene: Scene) -> None:
    port = free_port()
    with command(
        scene, port, "serve", handlers=HANDLERS, HANDLER_PROCESSES=2, MAX_RETRY_DELAY_SECONDS=0.1
    ) as service:
        until(lambda: is_ready(port), "it is ready", seconds=40)
        payloads = [{"crash": "exit"} if number in {7, 20} else {"ms": 2} for number in range(1, 41)]
        items = [{"idempotencyKey": f"k-{number}", "payload": one} for number, one in enumerate(payloads, 1)]
        job = ask(port, "/jobs/computing/trigger/items", {"items": items})["jobId"]
        scene.wait_ended()
        assert scene.statuses(job) == {"succeeded": 38, "dead": 2}
        assert scene.attempts() == [(job, seq, attempt, "crashed") for seq in (7, 20) for attempt in (1, 2)]
        assert scene.lapses() == []
        assert service.pid not in children(scene)
        service.terminate()
        assert service.wait(20) == 0
    until(lambda: not any(map(is_there, children(scene))), "no child outlives the service")
    scene.assert_sound()


def test_children_end_with_a_service_that_was_killed(scene: Scene) -> None:
    port = free_port()
    with command(scene, port, "serve", handlers=HANDLERS, HANDLER_PROCESSES=2) as service:
        until(lambda: is_ready(port), "it is ready", seconds=40)
        items = [{"idempotencyKey": f"k-{number}", "payload": {"ms": 600_000}} for number in range(2)]
        ask(port, "/jobs/computing/trigger/items", {"items": items})
        scene.wait_started(2)
        service.kill()
        assert service.wait() == -signal.SIGKILL
    until(lambda: not any(map(is_there, children(scene))), "no child outlives the service")
