"""Pages of lists are found by indexes and come in their order, on a deep job, analysed or never."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any

import pytest

from batchanator.store.migrations import migrate
from batchanator.store.records import ItemId
from batchanator.store.sqlite_library import dbapi
from batchanator.store.statements import Dialect, load
from batchanator.store.store import Store, driver_for, sqlite_path
from tests.contract.world import statement
from tests.statements.deep import Filler
from tests.statements.test_plans_postgres import explain, nodes

SLICES = 10_000
LIMIT = 10
PAGE = {"job_id": 1, "after": 10_000, "limit": LIMIT}
END = {"last_seq": 2**62}
RANGE = {"first_seq": 10_001, "last_seq": 11_000}
STATEMENTS: dict[str, dict[str, Any]] = {
    "items/page": {**PAGE, **END},
    "items/page_skip": {"job_id": 1, **RANGE, "skip": 500, "limit": LIMIT},
    "items/page_by_status": {**PAGE, **RANGE, "status": "retrying"},
    "items/page_by_outcome": {**PAGE, **END, "status": "retrying"},
    "items/page_by_error": {**PAGE, **END, "error_code": "Broken"},
    "items/page_dead": PAGE,
    "items/payloads_of": {"job_id": 1, "seqs": [5, 15_000]},
    "items/sizes_of": {"job_id": 1, "seqs": [5, 15_000]},
    "items/keys_of": {"items": [ItemId(1, 5), ItemId(1, 15_000)]},
    "batches/with_status": {**PAGE, "status": "pending"},
    "batches/list": PAGE,
    "slices/first_open": {"job_id": 1, "after": 10_000},
    "duplicates/list": PAGE,
    "rejects/list": PAGE,
    "jobs/type_of": {"job_id": 1},
    "jobs/line": {"job_id": 1, "line": 2_015_000},
    "idempotency_keys/holders": {"job_type_id": 1, "keys": ["1/5", "1/15000"]},
}
# A list by error sorts what has the code where there is no better way; the others never read more than this.
MOST_ROWS = 1200
WALKED = {"items/page_by_error": 2 * SLICES}


@pytest.fixture(params=[False, True], ids=["never analysed", "analysed"])
async def deep(database_url: str, request: pytest.FixtureRequest) -> AsyncIterator[tuple[Store, str]]:
    store = Store(driver_for(database_url, connections=2))
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
    later = (
        "clock_timestamp() + 1" if store.dialect is Dialect.SQLITE else "clock_timestamp() + interval '1 day'"
    )
    filler = Filler(store, now="clock_timestamp()", later=later)
    job = await filler.job(job_type, SLICES, rank=0, waiting=True)
    await filler.lines(job_type, job, 2 * SLICES)
    if request.param and store.dialect is Dialect.SQLITE:
        with closing(dbapi.connect(sqlite_path(database_url))) as connection:
            connection.execute("ANALYZE")
    elif request.param:
        await store.driver.fetch(statement("ANALYZE"))
    yield store, database_url
    await store.close()


async def test_a_page_reads_little_more_than_it_shows(deep: tuple[Store, str]) -> None:
    store, url = deep
    if store.dialect is Dialect.SQLITE:
        assert_in_index_order(sqlite_path(url))
        return
    for name, parameters in STATEMENTS.items():
        plan = await explain(store, name, options="ANALYZE, TIMING OFF, COSTS OFF", **parameters)
        for node in nodes(plan["Plan"]):
            seen = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            assert seen * node["Actual Loops"] <= WALKED.get(name, MOST_ROWS), (name, node)


def assert_in_index_order(path: str) -> None:
    connection = dbapi.connect(path)
    connection.create_function("clock_timestamp", 0, lambda: 0)
    for name, parameters in STATEMENTS.items():
        text = load(name).sqlite
        bound = {parameter.name: _bound(parameters[parameter.name]) for parameter in text.parameters}
        lines = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text.steps[-1]}", bound)]
        sorts = any("ORDER BY" in line for line in lines)
        assert not sorts or "CO-ROUTINE q" in lines, (name, lines)  # else of a page that was cut before
        scans = [line for line in lines if line.startswith("SCAN ")]
        assert not [line for line in scans if line.split()[1] not in {"u", "q", "j", "json_each"}], (
            name,
            scans,
        )  # jobs are one here
    connection.close()


def _bound(value: Any) -> Any:
    return "[]" if isinstance(value, list) else value
