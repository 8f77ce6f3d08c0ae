"""On SQLite the hot statements search indexes: no step of theirs scans slices, items, outcomes or runs."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

import pytest

from batchanator.store.migrations import known, migrate
from batchanator.store.sqlite_library import dbapi
from batchanator.store.statements import Dialect, load
from batchanator.store.store import Store, driver_for
from tests.statements.deep import Filler

HOT = (
    "duplicates",
    "rejects",
    "slices",
    "items",
    "outcomes",
    "runs",
    "batches",
    "attempts",
    "lapses",
    "idempotency_keys",
)
_SCAN = re.compile(r"^SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?")
_ALIAS = re.compile(
    r"\b(?:FROM|JOIN|UPDATE)\s+(\w+)"
    r"(?:\s+(?:AS\s+)?(?!WHERE|SET|ON|USING|JOIN|LEFT|CROSS|GROUP|ORDER)(\w+))?"
)
_MADE = re.compile(r"^(?:CO-ROUTINE|MATERIALIZE) (\w+)")
# Small, partial indexes may be walked: what they hold is what is asked for.
WALKED = {
    "slices_lapsed",
    "slices_leased",
    "slices_waiting",
    "slices_held",
    "outcomes_retrying",
    "outcomes_dead",
}
SCHEMA = "\n".join(migration.script for migration in known(Dialect.SQLITE))
STATEMENTS = (
    "slices/claim",
    "slices/claim_listed",
    "slices/settle",
    "slices/promote",
    "slices/unhold",
    "slices/recover",
    "slices/release",
    "slices/cancellable",
    "slices/crashed",
    "slices/leased_by",
    "slices/next_due",
    "slices/backlog",
    "slices/covering",
    "slices/highest_fence",
    "items/get",
    "items/page",
    "items/page_by_status",
    "items/page_by_outcome",
    "items/page_by_error",
    "items/page_dead",
    "items/payloads",
    "jobs/get",
    "jobs/line",
    "jobs/list",
    "jobs/rooms",
    "jobs/terms",
    "jobs/live",
    "job_types/lock_limited",
    "jobs/runnable",
    "jobs/lock_limited",
    "jobs/create",
    "outcomes/dead",
    "outcomes/dead_among",
    "outcomes/purged",
    "outcomes/retryable",
    "jobs/stale",
    "outcomes/redrive",
    "idempotency_keys/holders",
    "idempotency_keys/take_over",
    "slices/fence_off",
    "idempotency_keys/standing",
    "idempotency_keys/take_over",
    "batches/of_seqs",
)


async def fill(url: str) -> None:
    """Write two jobs of some thousand slices, ready and waiting."""
    store = Store(driver_for(url))
    await store.open()
    await migrate(store.driver)
    job_type = await store.job_types.upsert(
        name="deep",
        slice_size=2,
        timeout_seconds=30.0,
        max_attempts=3,
        backoff_cap_seconds=60.0,
        backoff_jitter=False,
    )
    filler = Filler(store, now="clock_timestamp()", later="clock_timestamp() + 1")
    await filler.job(job_type, 3000, rank=0, waiting=True)
    await filler.job(job_type, 3000, rank=0)
    await store.close()


@pytest.fixture(scope="module", params=[False, True], ids=["never analysed", "analysed"])
def connection(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    path = tmp_path_factory.mktemp("plans") / "deep.db"
    asyncio.run(fill(f"sqlite:///{path.as_posix()}"))
    connection = dbapi.connect(str(path), isolation_level=None)
    connection.create_function("clock_timestamp", 0, lambda: 0)
    if request.param:
        connection.execute("ANALYZE")
    yield connection
    connection.close()


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_hot_statement_scans_no_big_table(connection, name: str) -> None:
    text = load(name).sqlite
    scans = []
    walked = WALKED | ({"slices_ready"} if name == "slices/backlog" else set())  # to its LIMIT
    for step in text.steps:
        lines = plan_of(connection, name, step)
        aliases = {alias or table: table for table, alias in _ALIAS.findall(f"{SCHEMA}\n{step}")}
        made = [match[1] for line in lines if (match := _MADE.match(line))]
        for line in lines:
            match = _SCAN.match(line)
            if match is None:
                continue
            if match[1] in made:  # what a step made itself is walked, once
                made.remove(match[1])
            elif aliases.get(match[1], match[1]) in HOT and match[2] not in walked:
                scans.append(f"{line}: {aliases.get(match[1], match[1])}")
    assert scans == []


def plan_of(connection, name: str, step: str) -> list[str]:
    nothing = {parameter.name: None for parameter in load(name).sqlite.parameters}
    if "CREATE TEMP" in step:
        connection.execute(step, nothing)
        return []
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {step}", nothing).fetchall()]


def test_a_job_is_read_by_its_open_batches_and_its_leased_slices_alone(connection) -> None:
    """Not by all of its batches and slices: a job of two million items has forty thousand of them."""
    (step,) = load("jobs/get").sqlite.steps
    lines = plan_of(connection, "jobs/get", step)
    batches = {line for line in lines if line.startswith("SEARCH b ")}
    slices = {line for line in lines if line.startswith("SEARCH s ")}
    assert all("INDEX batches_open " in line for line in batches), batches
    assert all("INDEX slices_leased " in line for line in slices), slices


def test_a_job_is_read_with_each_of_its_counts_taken_once(connection) -> None:
    """`pending` is the rest of the others: a view that is flattened takes each of them twice."""
    (step,) = load("jobs/get").sqlite.steps
    lines = plan_of(connection, "jobs/get", step)
    assert sum("SCALAR SUBQUERY" in line for line in lines) <= 7


def test_a_takeover_finds_each_key_by_a_search(connection) -> None:
    """By the type alone it would read every key of the type for every line that was mended."""
    name = "idempotency_keys/take_over"
    (step,) = load(name).sqlite.steps
    searched = [
        line for line in plan_of(connection, name, step) if line.startswith("SEARCH idempotency_keys")
    ]
    assert searched == ["SEARCH idempotency_keys USING PRIMARY KEY (job_type_id=? AND key=?)"]
