"""Behind PgBouncer, which gives each transaction any session: nothing that we rely on hangs on a session."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from batchanator.domain.errors import StoreError
from batchanator.store.migrations import known, migrate
from batchanator.store.postgres import PostgresDriver
from batchanator.store.postgres_pool import EACH_SESSION, settings
from batchanator.store.statements import Dialect, load
from tests.pgbouncer import PgBouncer
from tests.postgres import PostgresServer

WANTED = settings(5)
ISOLATION = {"transaction_isolation": "read committed"}
_NOW = load("schema_migrations/exists")


@asynccontextmanager
async def opened(url: str, *, connections: int = 4) -> AsyncIterator[PostgresDriver]:
    driver = PostgresDriver(url, connections=connections, idle_seconds=5)
    await driver.open()
    try:
        yield driver
    finally:
        await driver.close()


async def shown(driver: PostgresDriver) -> dict[str, str]:
    async with driver.transaction() as session:
        connection = session.connection  # type: ignore[attr-defined]
        return {name: await connection.fetchval("SHOW " + name) for name in WANTED | ISOLATION}


@pytest.fixture
def careless(postgres18: PostgresServer, pooled_url: str) -> str:
    """A database whose own defaults are all wrong for us."""
    name = pooled_url.rsplit("/", 1)[1]
    for setting in (
        "synchronous_commit = off",
        "default_transaction_isolation = 'repeatable read'",
        "lock_timeout = 0",
    ):
        postgres18.execute(f'ALTER DATABASE "{name}" SET {setting}')
    return pooled_url


async def test_every_transaction_has_the_settings_that_a_session_of_our_own_has(
    careless: str, pgbouncer: PgBouncer
) -> None:
    async with opened(pgbouncer.direct(careless)) as driver:
        direct = await shown(driver)
    async with opened(careless) as driver:
        for _ in range(3):
            assert await shown(driver) == direct
        pooled = driver.engine

    assert direct["synchronous_commit"] == "on"
    assert direct["idle_in_transaction_session_timeout"] == "5s"
    assert direct["lock_timeout"] == "30s"
    assert direct["transaction_isolation"] == "read committed"
    assert pooled == "PostgreSQL through a pooler"


async def test_a_pooler_that_swallows_the_settings_silently_is_known_all_the_same(
    postgres18: PostgresServer, careless: str, pgbouncer: PgBouncer
) -> None:
    ignored = ",".join(EACH_SESSION | WANTED)
    with PgBouncer(postgres18, ignored=ignored) as silent:
        async with opened(silent.url(pgbouncer.direct(careless))) as driver:
            assert driver.engine == "PostgreSQL through a pooler"
            assert (await shown(driver))["synchronous_commit"] == "on"


async def test_more_clients_than_sessions_share_them_and_leave_nothing_prepared_or_locked(
    postgres18: PostgresServer, pooled_url: str, pgbouncer: PgBouncer
) -> None:
    with PgBouncer(postgres18, pool_size=2) as narrow:
        url = narrow.url(pgbouncer.direct(pooled_url))
        async with opened(url) as one, opened(url) as other:
            fetched = await asyncio.gather(*(driver.fetch(_NOW) for driver in (one, other) * 50))
            assert len(fetched) == 100
            async with one.exclusive("a name"):
                pass
            async with one.transaction() as session:
                connection = session.connection  # type: ignore[attr-defined]
                assert (
                    await connection.fetch("SELECT name FROM pg_prepared_statements WHERE name <> ''") == []
                )
                assert await connection.fetch("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'") == []


async def test_nobody_listens_through_a_pooler(pooled_url: str) -> None:
    async with opened(pooled_url) as driver:
        assert await driver.listen("batchanator", lambda _word: None) is None


async def test_ten_migrations_at_once_through_a_pooler_apply_each_version_once(pooled_url: str) -> None:
    async def one() -> int:
        async with opened(pooled_url, connections=1) as driver:
            return len(await migrate(driver))

    applied = await asyncio.gather(*(one() for _ in range(10)))
    assert sum(applied) == len(known(Dialect.POSTGRES))


async def test_what_the_url_asks_for_and_a_pooler_refuses_is_an_error_of_one_line(pooled_url: str) -> None:
    with pytest.raises(StoreError, match=r"database_url: unsupported startup parameter: search_path$"):
        async with opened(f"{pooled_url}?search_path=other"):
            pass
