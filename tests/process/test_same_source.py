"""One file sent at the same time, again, and mended: each key is one item, the rest are listed duplicates."""

import asyncio
import json

import pytest

from batchanator.app.runtime import Runtime
from batchanator.domain.submission import JobOptions
from tests.process.scene import Scene

pytestmark = pytest.mark.process
LINES = 400


def send(scene: Scene, times: int) -> list[int]:
    """Submit the file `times` times at once."""

    async def submit(runtime: Runtime) -> list[int]:
        one = runtime.submitter.file
        sent = [
            one("ledger", "source.ndjson", name=None, options=JobOptions(), request=None)
            for _ in range(times)
        ]
        return [job.job_id for job in await asyncio.gather(*sent)]

    return scene.use(submit)


@pytest.mark.parametrize("times", [2, 20])
def test_one_file_sent_at_once_becomes_its_set_of_items(scene: Scene, times: int) -> None:
    """Two processes read; the jobs race for each key chunk by chunk."""
    scene.write("source.ndjson", (json.dumps({"idempotency_key": f"k-{n}", "ms": 1}) for n in range(LINES)))
    jobs = send(scene, times)
    readers = [scene.start(ready=False, lock_timeout_minutes=2) for _ in range(2)]
    scene.wait_ended(60)
    for reader in readers:
        reader.wait_ready()
        reader.stop()

    assert len(set(jobs)) == times
    keys = [key for (key,) in scene.read("SELECT idempotency_key FROM items")]
    assert len(keys) == LINES
    assert set(keys) == {f"k-{n}" for n in range(LINES)}
    assert {
        scene.read(f"SELECT lines, accepted + duplicates FROM jobs WHERE id = {job}")[0] for job in jobs
    } == {(LINES, LINES)}
    assert scene.value("SELECT sum(duplicates) FROM jobs") == LINES * (times - 1)
    kinds = scene.read("SELECT kind, sum(last_line - first_line + 1) FROM duplicates GROUP BY kind")
    assert kinds == [("duplicate", LINES * (times - 1))]
    assert {status for (status,) in scene.read("SELECT status FROM jobs")} == {"completed"}
    assert not [event for reader in readers for event in reader.events("ingestion.broke")]
    scene.assert_each_ran_once()
    scene.assert_sound()


def test_two_mended_lines_of_a_file_that_is_sent_again_are_all_that_runs(scene: Scene) -> None:
    def lines(bad: str) -> list[str]:
        works = {n: {"then": bad} if n in {17, 301} else {} for n in range(LINES)}
        return [json.dumps({"idempotency_key": f"k-{n}", **work}) for n, work in works.items()]

    worker = scene.start()
    scene.write("source.ndjson", lines("die"))
    (first,) = send(scene, 1)
    scene.wait_ended()
    assert scene.statuses(first) == {"succeeded": LINES - 2, "dead": 2}

    (unmended,) = send(scene, 1)
    scene.wait_ended()
    assert scene.read(f"SELECT accepted, duplicates FROM jobs WHERE id = {unmended}") == [(0, LINES)]
    kinds = f"SELECT kind, sum(last_line - first_line + 1) FROM duplicates WHERE job_id = {unmended} GROUP BY kind"
    assert dict(scene.read(kinds)) == {"duplicate": LINES - 2, "dead_holder": 2}

    (scene.folder / "source.ndjson").rename(scene.folder / "before.ndjson")
    scene.write("source.ndjson", lines("succeed"))
    (mended,) = send(scene, 1)
    scene.wait_ended()
    worker.stop()
    assert scene.read(f"SELECT accepted, duplicates FROM jobs WHERE id = {mended}") == [(2, LINES - 2)]
    assert scene.statuses(mended) == {"succeeded": 2}
    assert sorted(scene.ledger.starts(mended)) == [(mended, 18), (mended, 302)]
    assert scene.statuses(first) == {"succeeded": LINES - 2, "dead": 2}
    assert len(scene.ledger.starts()) == LINES + 2
    scene.assert_each_ran_once()
    scene.assert_sound()
