"""On PostgreSQL the hot statements walk indexes, on a deep queue, analysed or never, and whatever stands before it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from batchanator.store.migrations import migrate
from batchanator.store.records import ItemId, Listed, SliceKey
from batchanator.store.statements import Statement, load
from batchanator.store.store import Repositories, Store, driver_for
from tests.conftest import CHOSEN
from tests.contract.world import statement
from tests.statements.deep import DEPTH, Filler

MOST_ROWS = 3000
KINDS = ("ready", "behind a paused job", "behind waiting slices")
WORKER = "w"
QUEUES: dict[tuple[str, str, bool], str] = {}


def url_of(server: Any, kind: str, analysed: bool) -> str:
    """Return a database with such a queue, filled once a run; the analysed one is a copy."""
    key = (str(server.version), kind, analysed)
    if key not in QUEUES:
        if analysed:
            template, name = url_of(server, kind, analysed=False).rsplit("/", 1)[1], f"analysed_{len(QUEUES)}"
            server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
            server.execute("ANALYZE", database=name)
            QUEUES[key] = server.url(name)
        else:
            QUEUES[key] = server.create_database()
            asyncio.run(fill(QUEUES[key], kind))
    return QUEUES[key]


async def fill(url: str, kind: str) -> None:
    store = Store(driver_for(url))
    await store.open()
    await migrate(store.driver)
    for table in ("jobs", "batches", "slices", "items", "outcomes", "runs", "workers", "job_types", "lapses"):
        await store.driver.fetch(statement(f"ALTER TABLE {table} SET (autovacuum_enabled = false)"))
    job_type = await store.job_types.upsert(
        name="deep",
        slice_size=2,
        timeout_seconds=30.0,
        max_attempts=3,
        backoff_cap_seconds=60.0,
        backoff_jitter=False,
    )
    await store.workers.register(worker=WORKER, lease=timedelta(days=9), host="h", pid=1, roles="worker")
    filler = Filler(store, now="clock_timestamp()", later="clock_timestamp() + interval '1 day'")
    if kind == "ready":
        await filler.job(job_type, DEPTH, rank=0)
    else:
        paused = kind == "behind a paused job"
        await filler.job(job_type, DEPTH, rank=0, paused=paused, waiting=not paused)
        await filler.job(job_type, 5000, rank=DEPTH)
    await store.close()


@pytest.fixture(params=[name for name in CHOSEN if name != "sqlite"])
def server(request: pytest.FixtureRequest) -> Any:
    running = request.getfixturevalue(request.param)
    running.start()
    return running


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[False, True], ids=["never analysed", "analysed"])
async def deep(server: Any, kind: str, request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    url = await asyncio.to_thread(url_of, server, kind, request.param)
    store = Store(driver_for(url, connections=2))
    await store.open()
    yield store
    await store.close()


# The statements, with arguments of the kind that the product gives them: job 1 is deep, the last job is ready.
HOT_STATEMENTS: dict[str, dict[str, Any]] = {
    "slices/claim": {"worker": WORKER, "types": [1], "limit": 20, "floors": []},
    "slices/claim_listed": {
        "worker": WORKER,
        "types": [1],
        "limit": 20,
        "jobs": [Listed(1, 0), Listed(2, 0)],
    },
    "slices/next_due": {},
    "slices/backlog": {"most": 500},
    "slices/promote": {"limit": 500},
    "slices/unhold": {"limit": 500},
    "slices/recover": {"dead": [], "limit": 500},
    "slices/cancellable": {"limit": 200, "rows": 10_000},
    "slices/crashed": {"max_crashes": 2, "limit": 100},
    "slices/leased_by": {"worker": WORKER},
    "slices/covering": {"job_id": 1, "seqs": [4001, 4020]},
    "slices/in_batches": {"job_id": 1, "first_seq": 4001, "last_seq": 5000},
    "items/payloads": {"job_id": 1, "first_seq": 101_001, "last_seq": 101_050},
    "items/get": {"job_id": 1, "seq": 150_000},
    "items/page": {"job_id": 1, "after": 150_000, "last_seq": 2**62, "limit": 100},
    "jobs/get": {"job_id": 1},
    "jobs/line": {"job_id": 1, "line": 150_000},
    "idempotency_keys/holders": {"job_type_id": 1, "keys": ["1/150000"]},
    "jobs/rooms": {"jobs": [1, 2]},
    "jobs/terms": {"jobs": [1, 2]},
    "jobs/live": {},
    "jobs/runnable": {"types": [1], "limit": 256},
    "jobs/lock_limited": {"types": [1], "locked": [], "limit": 20, "ahead": timedelta(0)},
    "job_types/lock_limited": {"types": [1], "ahead": timedelta(0)},
    "outcomes/dead": {"job_id": 1, "after": 100, "limit": 500},
    "outcomes/dead_among": {"job_id": 1, "seqs": [4001, 150_000]},
    "outcomes/purged": {"job_id": 1},
    "outcomes/retryable": {"age": timedelta(hours=1), "below": 10, "limit": 100},
    "jobs/stale": {"age": timedelta(days=1), "limit": 100},
    "batches/of_seqs": {"job_id": 1, "seqs": [4001, 150_000]},
    "idempotency_keys/standing": {"holders": [ItemId(1, 4001), ItemId(1, 150_000)]},
}


async def explain(store: Store, name: str, *, options: str, **parameters: object) -> dict[str, Any]:
    """Return the plan of one execution, which is rolled back."""
    given = load(name).postgres
    text = replace(given, steps=(f"EXPLAIN ({options}, FORMAT JSON) {given.steps[0]}",), writes=True)
    plan: dict[str, Any] = {}

    async def look(tx: Repositories) -> None:
        rows = await tx.session.fetch(Statement(name, text, text, text), **parameters)
        found = rows[0]["QUERY PLAN"]
        plan.update((json.loads(found) if isinstance(found, str) else found)[0])

    await rolled_back(store, look)
    return plan


async def rolled_back(store: Store, work: Callable[[Repositories], Awaitable[None]]) -> None:
    async with store.transaction() as tx:
        await work(tx)
        await tx.session.connection.execute("ROLLBACK; BEGIN")  # type: ignore[attr-defined]


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


async def big_tables(store: Store) -> set[str]:
    """Return the tables of more than a few pages: those that must not be read from end to end."""
    rows = await store.driver.fetch(
        statement(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            " AND pg_relation_size(oid) > 400000"
        )
    )
    return {row["relname"] for row in rows}


def scanned(plan: dict[str, Any]) -> set[str]:
    return {node["Relation Name"] for node in nodes(plan["Plan"]) if node["Node Type"] == "Seq Scan"}


@pytest.mark.parametrize("name", HOT_STATEMENTS)
async def test_a_hot_statement_reads_no_big_table_from_end_to_end(deep: Store, name: str) -> None:
    big = await big_tables(deep)
    assert {"slices", "items"} <= big
    plan = await explain(deep, name, options="COSTS OFF", **HOT_STATEMENTS[name])
    counted = {"outcomes"} if name == "jobs/get" else set()  # it counts what is retrying, be it all of them
    assert not scanned(plan) & (big - counted)


@pytest.mark.parametrize("name", [name for name in HOT_STATEMENTS if name != "jobs/get"])
async def test_a_hot_statement_looks_at_few_rows(deep: Store, name: str) -> None:
    """A node can walk an index and read all of it all the same."""
    plan = await explain(deep, name, options="ANALYZE, TIMING OFF, COSTS OFF", **HOT_STATEMENTS[name])
    rows: dict[str, float] = {}
    for node in nodes(plan["Plan"]):
        if "Relation Name" in node or "Index Name" in node:
            seen = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            seen += node.get("Rows Removed by Index Recheck", 0)
            what = f"{node.get('Relation Name')} by {node.get('Index Name')}"
            rows[what] = max(rows.get(what, 0), seen * node["Actual Loops"])
    assert {what: count for what, count in rows.items() if count > MOST_ROWS} == {}


async def test_a_job_is_read_with_each_of_its_counts_taken_once(deep: Store) -> None:
    """`pending` is the rest of the others: a view that is flattened takes each of them twice."""
    plan = await explain(deep, "jobs/get", options="COSTS OFF", job_id=1)
    sums = [node for node in nodes(plan["Plan"]) if node["Node Type"] == "Aggregate"]
    assert len(sums) <= 7


async def test_a_generic_plan_of_the_claim_walks_indexes_too(deep: Store) -> None:
    """After five executions PostgreSQL may plan a prepared statement without its arguments."""
    big = await big_tables(deep)
    for name in ("slices/claim", "slices/claim_listed", "items/get", "slices/settle"):
        text = load(name).postgres
        nulls = ", ".join(["NULL"] * len(text.parameters))
        plan: dict[str, Any] = {}

        async def look(
            tx: Repositories, name: str = name, plan: dict[str, Any] = plan, nulls: str = nulls
        ) -> None:
            for command in (
                f"PREPARE generic AS {load(name).postgres.steps[0]}",
                "SET LOCAL plan_cache_mode = force_generic_plan",
            ):
                await tx.session.connection.execute(command)  # type: ignore[attr-defined]
            rows = await tx.session.connection.fetch(  # type: ignore[attr-defined]
                f"EXPLAIN (COSTS OFF, FORMAT JSON) EXECUTE generic({nulls})"
            )
            plan.update(json.loads(rows[0][0])[0])
            await tx.session.connection.execute("DEALLOCATE generic")  # type: ignore[attr-defined]

        await rolled_back(deep, look)
        assert not scanned(plan) & big, name


SWITCHES = (
    "none",
    "enable_hashagg",
    "enable_sort",
    "enable_hashjoin",
    "enable_mergejoin",
    "enable_nestloop",
    "enable_material",
    "enable_indexscan",
    "enable_indexonlyscan",
    "enable_bitmapscan",
    "enable_memoize",
    "enable_incremental_sort",
    "enable_seqscan",
)


async def small_queue(server: Any) -> Store:
    """Return a queue of a few hundred slices, ready, waiting and of a dead worker's."""
    key = (str(server.version), "small", False)
    if key not in QUEUES:
        QUEUES[key] = await asyncio.to_thread(server.create_database)
        store = Store(driver_for(QUEUES[key]))
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
        for worker in (WORKER, "dead"):
            await store.workers.register(
                worker=worker, lease=timedelta(days=9), host="h", pid=1, roles="worker"
            )
        filler = Filler(store, now="clock_timestamp()", later="clock_timestamp()")
        for waiting in (False, False, True):
            await filler.job(job_type, 2000, rank=0, waiting=waiting)
        await store.slices.claim(worker="dead", types=[job_type], limit=200)
        await store.workers.expire(worker="dead")
        for number in range(60):
            await store.driver.fetch(
                statement(
                    "INSERT INTO pending_work (job_type, idempotency_key, payload)"
                    " VALUES ('deep', :key, '{}') RETURNING id"
                ),
                key=f"{number}",
            )
        await store.close()
    store = Store(driver_for(QUEUES[key], connections=2))
    await store.open()
    return store


@pytest.mark.parametrize("switch", SWITCHES)
async def test_no_plan_makes_a_statement_take_more_than_its_limit(server: Any, switch: str) -> None:
    """A LIMIT beside SKIP LOCKED in a bare sub-select may be run again for every row."""
    store = await small_queue(server)
    taken: dict[str, int] = {}

    async def look(tx: Repositories) -> None:
        if switch != "none":
            await tx.session.connection.execute(f"SET LOCAL {switch} = off")  # type: ignore[attr-defined]
        slices = tx.slices
        taken["claim"] = len(await slices.claim(worker=WORKER, types=[1], limit=5))
        jobs = [Listed(1, 0), Listed(2, 0)]
        taken["listed"] = len(await slices.claim_listed(worker=WORKER, types=[1], limit=5, jobs=jobs))
        held = await slices.leased_by(worker=WORKER)
        taken["leased"] = len(held)
        taken["promote"] = await slices.promote(limit=5)
        rows = await tx.session.fetch(statement("SELECT count(*) AS n FROM slices WHERE state = 2"))
        taken["waiting"] = rows[0]["n"]
        taken["recover"] = len(await slices.recover(dead=[], limit=5))
        rows = await tx.session.fetch(statement("SELECT count(*) AS n FROM lapses"))
        taken["lapses"] = rows[0]["n"]
        taken["pending"] = len(await tx.lines.take_pending(job_type="deep", highest=10**9, limit=5))
        rows = await tx.session.fetch(statement("SELECT count(*) AS n FROM pending_work"))
        taken["left"] = rows[0]["n"]
        assert isinstance(next(iter(held)), SliceKey)

    await rolled_back(store, look)
    await store.close()
    assert taken == {
        "claim": 5,
        "listed": 5,
        "leased": 10,
        "promote": 5,
        "waiting": 1995,
        "recover": 5,
        "lapses": 5,
        "pending": 5,
        "left": 55,
    }
