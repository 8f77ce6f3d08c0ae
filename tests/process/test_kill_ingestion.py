"""kill -9 of an ingestion at each of its stop-points: the next goes on at the checkpoint, as if nothing had been."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from batchanator.app.parts import Parts
from batchanator.app.runtime import Runtime
from batchanator.domain.submission import Entry, JobOptions
from batchanator.store.operations import Operations
from batchanator.store.probes import set_probe
from tests.process.polling import until
from tests.process.scene import Scene

pytestmark = pytest.mark.process
KILLED = -9
LINES = 460  # twelve chunks, which are written in portions of 1, 2, 3, 4 and 2
PER_PORTION = (
    "ingest.begin",
    "ingest.keys",
    "ingest.items",
    "ingest.finish",
    "ingest.before_commit",
    "ingest.after_commit",
)
WHAT_INGESTION_WRITES = (
    """SELECT lines, accepted, duplicates, rejected, batches, slices_cut, byte_offset, line, chain, source_position
       FROM jobs WHERE id = 2""",
    "SELECT seq, idempotency_key, payload FROM items WHERE job_id = 2 ORDER BY seq",
    "SELECT number, first_seq, last_seq, total FROM batches WHERE job_id = 2 ORDER BY number",
    """SELECT first_seq, last_seq, batch, ordinal, open, state, fence, settles
       FROM slices WHERE job_id = 2 ORDER BY first_seq""",
    """SELECT first_line, last_line, holder_job_id, holder_seq, kind
       FROM duplicates WHERE job_id = 2 ORDER BY first_line""",
    "SELECT line, byte_offset, code, pointer, message, raw, raw_cut FROM rejects WHERE job_id = 2 ORDER BY line",
    "SELECT key, job_id, seq, payload_hash FROM idempotency_keys ORDER BY key",
)


def lines() -> list[str]:
    """Good lines, keys that are held, keys that come again near and far, rejects, blank lines."""
    out = [json.dumps({"idempotency_key": f"k-{number}", "ms": 1}) for number in range(1, LINES + 1)]
    for number in (7, 8, 9, 200, 440):
        out[number] = out[3]
    out[100] = out[99]
    for number in (20, 21, 333, 459):
        out[number] = json.dumps({"idempotency_key": f"held-{number % 7 + 1}", "ms": number % 2})
    for number in (50, 250, 455):
        out[number] = '{"idempotency_key": 5}'
    out[55] = out[56] = ""
    return out


def submit(scene: Scene) -> None:
    """Let job 1 hold some keys and job 2 read the file; both are paused, so that slices stay as they were written."""
    scene.write("source.ndjson", lines())
    entries = [Entry(f"held-{number}", b'{"ms": 1}') for number in range(1, 8)]

    async def work(runtime: Runtime) -> None:
        options = JobOptions()
        await runtime.submitter.items("ledger", entries, name=None, options=options, request=None)
        await runtime.submitter.file("ledger", "source.ndjson", name=None, options=options, request=None)
        await pause(runtime, True)

    scene.use(work)


async def pause(runtime: Runtime, paused: bool) -> None:
    operations = Operations(runtime.store, runtime.wakeups)
    for job in (1, 2):
        await (operations.pause(job, actor="a test") if paused else operations.resume(job, actor="a test"))


class Undisturbed:
    """What an ingestion writes that nobody disturbs, and how often it passes each stop-point."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        scene = Scene(f"sqlite:///{folder}/batchanator.db", folder)
        submit(scene)
        self.passed: Counter[str] = Counter()

        async def count(name: str) -> None:
            self.passed[name] += 1

        async def ingest(runtime: Runtime) -> None:
            assert runtime.ingestor is not None
            job = await runtime.store.jobs.get(2)
            while job is not None and job["sealed_at"] is None:
                await runtime.wakeups.ready.wait()
                runtime.wakeups.ready.clear()
                job = await runtime.store.jobs.get(2)

        set_probe(count)
        try:
            scene.use(ingest, parts=Parts(dispatch=False))
        finally:
            set_probe(None)
        self.rows = written(scene)
        scene.end()


def written(scene: Scene) -> list[Any]:
    return [scene.read(query) for query in WHAT_INGESTION_WRITES]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    return Undisturbed(tmp_path_factory.mktemp("undisturbed") / "scene")


def sealed(scene: Scene) -> bool:
    return scene.value("SELECT sealed_at FROM jobs WHERE id = 2") is not None


@pytest.mark.parametrize("which", ["first", "middle", "last"])
@pytest.mark.parametrize("where", PER_PORTION)
def test_a_killed_ingestion_goes_on_as_if_nothing_had_been(
    scene: Scene, undisturbed: Undisturbed, where: str, which: str
) -> None:
    times = undisturbed.passed[where]
    nth = {"first": 1, "middle": times // 2 + 1, "last": times}[which]
    submit(scene)
    first = scene.start(stop_at=f"{where}:{nth}=kill", lock_timeout_minutes=scene.restart_lease)
    assert first.wait() == KILLED
    assert not sealed(scene)

    assert_the_next_start_ends_it(scene, undisturbed)


def test_an_ingestion_that_is_killed_before_its_seal_is_sealed_by_the_next_start(
    scene: Scene, undisturbed: Undisturbed
) -> None:
    submit(scene)
    first = scene.start(stop_at="ingest.before_seal=kill", lock_timeout_minutes=scene.restart_lease)
    assert first.wait() == KILLED
    assert not sealed(scene)
    assert scene.value("SELECT line FROM jobs WHERE id = 2") == LINES

    assert_the_next_start_ends_it(scene, undisturbed)


def assert_the_next_start_ends_it(scene: Scene, undisturbed: Undisturbed) -> None:
    second = scene.start(lock_timeout_minutes=scene.restart_lease)
    until(lambda: sealed(scene), "the job is sealed", seconds=15)  # far less than a lease of five minutes
    assert written(scene) == undisturbed.rows
    scene.use(lambda runtime: pause(runtime, False))
    scene.wait_ended()
    second.stop()

    scene.assert_each_ran_once()
    scene.assert_sound()


def test_a_process_that_only_ingests_goes_on_at_once_after_a_kill_on_sqlite(
    scene: Scene, undisturbed: Undisturbed
) -> None:
    submit(scene)
    first = scene.start(
        stop_at="ingest.after_commit:2=kill", dispatch=False, lock_timeout_minutes=scene.restart_lease
    )
    assert first.wait() == KILLED
    second = scene.start(dispatch=False, lock_timeout_minutes=scene.restart_lease)
    until(lambda: sealed(scene), "the job is sealed", seconds=15)
    second.stop()

    assert written(scene) == undisturbed.rows
    scene.assert_sound()


@pytest.mark.parametrize(
    "where",
    ["ingest.begin", "ingest.finish", "ingest.before_commit", "ingest.after_commit", "ingest.before_seal"],
)
def test_no_staging_row_is_lost_or_taken_twice_by_a_killed_ingestion(scene: Scene, where: str) -> None:
    rows = 130
    scene.use(nothing)
    values = ", ".join(f"('ledger', 'k-{number}', '{{\"ms\": 1}}')" for number in range(1, rows + 1))
    scene.change(f"INSERT INTO pending_work (job_type, idempotency_key, payload) VALUES {values}")
    scene.use(trigger)
    nth = 1 if where == "ingest.before_seal" else 2
    first = scene.start(stop_at=f"{where}:{nth}=kill", lock_timeout_minutes=scene.restart_lease)
    assert first.wait() == KILLED
    items, left = scene.value("SELECT count(*) FROM items"), scene.value("SELECT count(*) FROM pending_work")
    assert items + left == rows

    second = scene.start(lock_timeout_minutes=scene.restart_lease)
    scene.wait_ended(20)
    second.stop()
    taken = scene.read("SELECT source_row_id, idempotency_key FROM items ORDER BY source_row_id")
    assert [key for _, key in taken] == [f"k-{number}" for number in range(1, rows + 1)]
    assert len({row for row, _ in taken}) == rows
    assert scene.value("SELECT count(*) FROM pending_work") == 0
    assert {key for *_, key in scene.ledger.lines()} == {key for _, key in taken}
    scene.assert_sound()


async def nothing(_runtime: Runtime) -> None:
    """Only migrate."""


async def trigger(runtime: Runtime) -> None:
    assert await runtime.submitter.database("ledger", options=JobOptions(), request=None) is not None
