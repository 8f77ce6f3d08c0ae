"""`api` with the handlers, `scheduler` without, on one database: either may be killed, and nothing is lost."""

import json
import shutil
import signal

import pytest

from tests.process.polling import pass_time, until
from tests.process.scene import Scene
from tests.process.serving import ROOT, ask, command, free_port, is_ready

pytestmark = pytest.mark.process
ITEMS = 10_000
OUTAGE_SECONDS = 5.0


def test_the_quick_start_works_with_two_commands(scene: Scene) -> None:
    """The repository's own configuration and samples, a file by its relative path, status asked of the other port."""
    shutil.copytree(ROOT / "samples", scene.folder / "samples")
    shutil.copy(ROOT / "batchanator.json", scene.folder)
    here, there = free_port(), free_port()
    with (
        command(scene, there, "api", handlers=None),
        command(scene, here, "scheduler", handlers=None, API_BASE_URL=f"http://localhost:{there}"),
    ):
        until(lambda: is_ready(there) and is_ready(here), "both are ready", seconds=40)
        for file in ("email-notifications", "data-sync", "report-generation"):
            body = {"filePath": f"samples/{file}.ndjson"}
            job = ask(here, f"/jobs/{file.removesuffix('s')}/trigger/file", body)["jobId"]
            scene.wait_ended()
            assert ask(there, f"/jobs/{job}")["status"] == "completed"
            counts = ask(there, f"/jobs/{job}/batches")["data"][0]["counts"]
            assert counts["succeeded"] + counts["skipped"] == 10
            assert len(ask(there, f"/batches/{job}-1/items?skip=0&take=50")["data"]) == 10
        assert [job["id"] for job in ask(there, "/jobs")["data"]] == [3, 2, 1]
        assert "email-notification" in {one["jobType"] for one in ask(there, "/handlers")["data"]}


@pytest.mark.parametrize("requests", ["item", "slice"])
def test_a_killed_api_costs_no_attempt_and_no_item(scene: Scene, requests: str) -> None:
    """In the middle of 10,000 items, away for some seconds; those under way run again with the same key."""
    lines = (json.dumps({"idempotency_key": f"k-{number}"}) for number in range(ITEMS))
    scene.write("source.ndjson", lines)
    here, there = free_port(), free_port()
    elsewhere = {"API_BASE_URL": f"http://127.0.0.1:{there}", "API_REQUESTS": requests}
    with (
        command(scene, there, "api", handlers="tests.process.handlers") as api,
        command(scene, here, "scheduler", handlers=None, **elsewhere) as scheduler,
    ):
        until(lambda: is_ready(there) and is_ready(here), "both are ready", seconds=40)
        job = ask(here, "/jobs/ledger/trigger/file", {"filePath": "source.ndjson"})["jobId"]
        scene.wait_succeeded(ITEMS // 10)
        api.kill()
        assert api.wait() == -signal.SIGKILL
        until(lambda: " is away " in ask(here, "/readyz")["checks"]["handlers"], "readiness says so")
        assert scene.open_jobs()
        pass_time(OUTAGE_SECONDS)
        with command(scene, there, "api", handlers="tests.process.handlers"):
            scene.wait_ended(90)
            scheduler.terminate()
            assert scheduler.wait(20) == 0

    assert scene.statuses(job) == {"succeeded": ITEMS}
    assert scene.attempts() == []
    assert len(scene.ledger.starts()) == ITEMS
    scene.assert_sound()


def test_a_type_that_the_api_does_not_know_waits_and_the_others_go_on(scene: Scene) -> None:
    here, there = free_port(), free_port()
    elsewhere = {"API_BASE_URL": f"http://127.0.0.1:{there}", "JOB_TYPES__unknown__SLICE_SIZE": 5}
    with (
        command(scene, there, "api", handlers="tests.process.handlers"),
        command(scene, here, "scheduler", handlers=None, **elsewhere) as scheduler,
    ):
        until(lambda: is_ready(there) and is_ready(here), "both are ready", seconds=40)
        items = [{"idempotencyKey": f"k-{number}", "payload": {}} for number in range(20)]
        unknown = ask(here, "/jobs/unknown/trigger/items", {"items": items})["jobId"]
        until(lambda: "unknown" in ask(here, "/readyz")["checks"]["handlers"], "readiness says so")
        known = ask(here, "/jobs/ledger/trigger/items", {"items": items})["jobId"]
        until(lambda: scene.statuses(known) == {"succeeded": 20}, "the others have succeeded")
        assert set(scene.statuses(unknown)) <= {"pending", "processing"}
        scheduler.terminate()
        assert scheduler.wait(20) == 0
    assert scene.attempts() == []
    assert scene.lapses() == []
    scene.assert_sound()
