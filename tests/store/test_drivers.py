import asyncio
import gc
from datetime import UTC, datetime, timedelta

import pytest

from batchanator.domain.errors import StoreError, UnavailableError, UniqueError
from batchanator.store.migrations import migrate
from batchanator.store.parameters import from_micros, to_micros
from batchanator.store.store import Repositories, Store, driver_for
from tests.contract.world import statement


@pytest.fixture
async def store(database_url: str):
    store = Store(driver_for(database_url))
    await store.open()
    await migrate(store.driver)
    yield store
    await store.close()


async def act(store: Repositories, action: str) -> None:
    await store.actions.append(job_id=None, action=action, actor="test")


async def count(store: Store) -> int:
    kinds = await store.job_types.list()
    return len(kinds)


async def add_type(store: Repositories, name: str) -> int:
    return await store.job_types.upsert(
        name=name,
        slice_size=50,
        timeout_seconds=300.0,
        max_attempts=5,
        backoff_cap_seconds=60.0,
        backoff_jitter=False,
    )


async def test_a_transaction_that_is_left_by_an_error_writes_nothing(store: Store) -> None:
    async def work(tx: Repositories) -> None:
        await add_type(tx, "gone")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.transact(work)
    assert await count(store) == 0


async def test_a_transaction_that_is_cancelled_writes_nothing_and_blocks_nobody(store: Store) -> None:
    inside = asyncio.Event()

    async def work() -> None:
        async with store.transaction() as tx:
            await add_type(tx, "gone")
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await add_type(store, "kept")
    assert [row["name"] for row in await store.job_types.list()] == ["kept"]


async def test_a_transaction_that_is_cancelled_at_any_moment_leaves_the_writer_free(store: Store) -> None:
    async def work(number: int) -> None:
        async with store.transaction() as tx:
            await add_type(tx, f"t{number}")

    for number in range(40):
        task = asyncio.create_task(work(number))
        for _ in range(number):  # one turn of the loop later each time: at BEGIN, inside, at COMMIT
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await add_type(store, "last")
    assert "last" in {row["name"] for row in await store.job_types.list()}


async def test_a_transaction_that_is_cancelled_while_a_statement_asks_the_clock_does_not_block_the_process(
    sqlite_url: str,
) -> None:
    """The statement has the database's mutex and waits for the interpreter's lock, to call clock_timestamp()."""
    store = Store(driver_for(sqlite_url))
    await store.open()
    counted = statement(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
        "SELECT count(clock_timestamp()) FROM n"
    )
    try:
        for _ in range(20):
            begun = asyncio.Event()

            async def work(begun: asyncio.Event = begun) -> None:
                async with store.transaction() as tx:
                    begun.set()
                    await tx.session.fetch(counted)

            task = asyncio.create_task(work())
            await begun.wait()
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    finally:
        await store.close()


async def test_reads_work_after_the_store_was_opened_again(store: Store) -> None:
    await store.close()
    await store.open()
    await asyncio.gather(*(store.job_types.list() for _ in range(12)))


async def test_a_write_whose_caller_is_cancelled_is_whole_or_not_at_all(store: Store) -> None:
    for number in range(20):
        task = asyncio.create_task(add_type(store, f"t{number}"))
        for _ in range(number % 5):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await add_type(store, "last")
    assert "last" in {row["name"] for row in await store.job_types.list()}


async def test_instants_come_back_as_they_went(store: Store) -> None:
    before = datetime.now(UTC) - timedelta(seconds=5)
    await store.workers.register(worker="w", lease=timedelta(minutes=5), host="h", pid=1, roles="dispatch")
    row = (await store.workers.list())[0]
    assert before < row["started_at"] < datetime.now(UTC) + timedelta(seconds=5)
    assert row["lease_until"] - row["started_at"] >= timedelta(minutes=5) - timedelta(milliseconds=5)


async def test_a_taken_key_is_a_unique_error(store: Store) -> None:
    await store.keys.copy([(1, 1, 0, 1, "a")])
    with pytest.raises(UniqueError):
        await store.keys.copy([(1, 2, 0, 1, "a")])


async def test_a_closed_store_is_unavailable(store: Store) -> None:
    await store.close()
    with pytest.raises(UnavailableError):
        await act(store, "late")


async def test_a_database_that_is_not_there_is_unavailable() -> None:
    store = Store(driver_for("postgresql://nobody@127.0.0.1:1/none"))
    with pytest.raises(UnavailableError):
        await store.open()


def test_an_unknown_scheme_is_named() -> None:
    with pytest.raises(StoreError, match="unknown scheme 'mysql'"):
        driver_for("mysql://x/y")


async def test_many_writers_at_once_all_commit(store: Store) -> None:
    await asyncio.gather(*(add_type(store, f"t{number}") for number in range(40)))
    assert await count(store) == 40


def test_microseconds_are_exact_both_ways() -> None:
    instant = datetime(2026, 11, 25, 3, 4, 5, 678901, tzinfo=UTC)
    assert from_micros(to_micros(instant)) == instant


async def test_every_postgres_session_says_how_it_runs(postgres_url: str) -> None:
    store = Store(driver_for(postgres_url))
    await store.open()
    try:
        async with store.driver.transaction() as session:
            connection = session.connection  # type: ignore[attr-defined]
            assert await connection.fetchval("SHOW transaction_isolation") == "read committed"
            assert await connection.fetchval("SHOW synchronous_commit") == "on"
            assert await connection.fetchval("SHOW idle_in_transaction_session_timeout") == "20s"
    finally:
        await store.close()


async def test_a_listener_that_is_cancelled_while_it_connects_leaves_no_connection(postgres_url: str) -> None:
    driver = driver_for(postgres_url)
    await driver.open()
    try:
        for ticks in range(60):
            task = asyncio.ensure_future(driver.listen("word", lambda _word: None))
            for _ in range(ticks):
                await asyncio.sleep(0)
            if task.done():
                listener = await task
                assert listener is not None
                await listener.close()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        gc.collect()  # a connection that nobody closed warns here, and a warning is an error
    finally:
        await driver.close()
