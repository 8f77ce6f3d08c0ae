"""A loaded job, and its way back to the state before anything ran: a round is the drain and nothing else."""

import tempfile
from pathlib import Path

from batchanator.app.parts import Parts
from benchmarks.places import Place
from benchmarks.processes import ingest, running
from benchmarks.work import registry, write_lines

JOB_ID = 1
_WRITTEN = ("slices", "runs", "outcomes", "attempts", "lapses", "events")


async def load(place: Place, items: int) -> None:
    """Ingest a file through the product and keep a copy of its slices."""
    await place.fresh()
    with tempfile.TemporaryDirectory(prefix="batchanator-bench-") as name:
        folder = Path(name)
        path = write_lines(folder / "lines.ndjson", items)
        async with running(place, folder, registry(), Parts(dispatch=False)) as runtime:
            assert await ingest(runtime, path) == JOB_ID
    await place.run("CREATE TABLE kept_slices AS SELECT * FROM slices")
    # So that neither autovacuum nor the first touch of a row (a hint bit is logged) falls into a round.
    await place.run("VACUUM ANALYZE" if place.name == "postgresql" else "ANALYZE")
    await place.settle_down()


async def restore(place: Place) -> None:
    """Put every slice back as it was, the job paused: `release` starts it."""
    if place.name == "postgresql":
        await place.run(f"TRUNCATE {', '.join(_WRITTEN)}")
    else:
        await place.run(*(f"DELETE FROM {table}" for table in _WRITTEN))
    await place.run(
        "INSERT INTO slices SELECT * FROM kept_slices ORDER BY job_id, first_seq",
        "UPDATE batches SET succeeded = 0, skipped = 0, dead = 0, cancelled = 0, completed_at = NULL",
        "UPDATE jobs SET succeeded = 0, skipped = 0, dead = 0, cancelled = 0, batches_open = batches, "
        "ended_at = NULL, paused_at = created_at",
    )
    if place.name == "postgresql":
        await place.run("VACUUM batches", "VACUUM jobs")
    await place.settle_down()


async def release(place: Place) -> None:
    await place.run("UPDATE jobs SET paused_at = NULL")


async def verify_drained(place: Place, items: int) -> None:
    """Raise unless every item is on record as succeeded."""
    rows = await place.run(
        "SELECT succeeded, batches_open, ended_at IS NOT NULL, (SELECT count(*) FROM slices) FROM jobs"
    )
    if [tuple(map(int, row)) for row in rows] != [(items, 0, 1, 0)]:
        raise AssertionError(f"not drained: {rows}")
