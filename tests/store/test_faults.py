"""Networks and disks that fail under a driver: an error in bounded time, and all is well once they are healed."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from batchanator.domain.errors import UnavailableError
from batchanator.store import postgres, postgres_pool
from batchanator.store.driver import Table
from batchanator.store.postgres import PostgresDriver
from batchanator.store.sqlite import SqliteDriver
from tests.support.proxy import proxied

KEPT = Table("kept", ("n", "text"))
CREATE = "CREATE TABLE kept (n integer, text text)"


async def create(driver: Any) -> None:
    async with driver.transaction() as session:
        await driver.run_script(CREATE, session)


async def insert(driver: Any, n: int, text: str = "") -> None:
    await driver.insert(KEPT, [(n, text)])


async def insert_two(
    driver: Any, first: tuple[int, str], second: tuple[int, str], between: Callable[[], None] = lambda: None
) -> None:
    async with driver.transaction() as session:
        await session.insert(KEPT, [first])
        between()
        await session.insert(KEPT, [second])


async def limit(driver: SqliteDriver, pages: int) -> None:
    await driver._open_writer().execute_fetchall(f"PRAGMA max_page_count = {pages}")


async def rows(driver: PostgresDriver) -> list[int]:
    async with driver.transaction() as session:
        return [row["n"] for row in await session.connection.fetch("SELECT n FROM kept ORDER BY n")]  # type: ignore[attr-defined]


async def all_at_once(driver: PostgresDriver, count: int) -> None:
    """Pass only with as many whole connections as the pool may have."""
    met = asyncio.Barrier(count)

    async def hold() -> None:
        async with driver.transaction(), asyncio.timeout(5):
            await met.wait()

    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(hold())


async def test_a_black_hole_costs_bounded_time_and_no_place_in_the_pool(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "ACQUIRE_SECONDS", 0.5)
    monkeypatch.setattr(postgres_pool, "COMMAND_SECONDS", 0.5)
    async with proxied(postgres_url) as (proxy, url):
        driver = PostgresDriver(url, connections=2)
        await driver.open()
        try:
            await create(driver)
            await all_at_once(driver, 2)
            proxy.black_hole()
            began = time.monotonic()
            lost = await asyncio.gather(*(insert(driver, n) for n in range(4)), return_exceptions=True)
            took = time.monotonic() - began
            assert proxy.held > 0
            proxy.heal()
            monkeypatch.setattr(postgres, "ACQUIRE_SECONDS", 5.0)
            await all_at_once(driver, 2)
            await insert(driver, 10)
            assert 10 in await rows(driver)
        finally:
            await driver.close()

    assert all(isinstance(error, UnavailableError) for error in lost)
    assert took < 5


async def test_a_reply_a_byte_at_a_time_is_the_same_reply(postgres_url: str) -> None:
    async with proxied(postgres_url) as (proxy, url):
        proxy.piece = 1
        driver = PostgresDriver(url, connections=2)
        await driver.open()
        try:
            await create(driver)
            await driver.insert(KEPT, [(n, "x" * 10) for n in range(50)])
            assert await rows(driver) == list(range(50))
        finally:
            await driver.close()


async def test_connections_that_are_reset_in_a_transaction_leave_nothing_and_the_pool_whole(
    postgres_url: str,
) -> None:
    async with proxied(postgres_url) as (proxy, url):
        driver = PostgresDriver(url, connections=2)
        await driver.open()
        try:
            await create(driver)
            with pytest.raises(UnavailableError):
                await insert_two(driver, (1, ""), (2, ""), between=proxy.reset)
            await all_at_once(driver, 2)
            assert await rows(driver) == []
        finally:
            await driver.close()


async def test_a_server_that_only_reads_is_unavailable_and_writes_again_once_it_may(
    postgres_url: str,
) -> None:
    driver = PostgresDriver(postgres_url, connections=1)
    await driver.open()
    try:
        await create(driver)
        async with driver.transaction() as session:
            await driver.run_script("SET SESSION default_transaction_read_only = on", session)
        with pytest.raises(UnavailableError, match="read-only"):
            await insert(driver, 1)
        await insert(driver, 2)  # on a new connection: the one that only reads was thrown away
        assert await rows(driver) == [2]
    finally:
        await driver.close()


async def test_a_full_disk_takes_back_the_whole_transaction_and_goes_on_once_there_is_room(
    tmp_path: Path,
) -> None:
    driver = SqliteDriver(tmp_path / "full.db")
    await driver.open()
    try:
        await create(driver)
        await insert(driver, 1)
        await limit(driver, 3)
        with pytest.raises(UnavailableError, match="full"):
            await insert_two(driver, (2, ""), (3, "x" * 40_000))
        await limit(driver, 100_000)
        await insert(driver, 30)
        kept = await driver._open_writer().execute_fetchall("SELECT n FROM kept ORDER BY n")
        assert [n for (n,) in kept] == [1, 30]
    finally:
        await driver.close()
