import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from batchanator.store.migrations import migrate
from batchanator.store.store import Store, driver_for
from tests.conftest import CHOSEN
from tests.contract.invariants import assert_consistent
from tests.contract.world import World
from tests.pgbouncer import PgBouncer
from tests.postgres import PostgresServer
from tests.sqlserver import SqlServer
from tests.support.checking import assert_verified

TEMPLATE = "migrated"


def copy_of_migrated(server: PostgresServer | PgBouncer | SqlServer) -> Iterator[str]:
    """Yield a fresh database with our schema: on PostgreSQL a copy, since hundreds of tests want one."""
    if isinstance(server, SqlServer):
        yield from _emptied(server)
        return
    server.start()
    if TEMPLATE not in server.templates:
        url = server.create_database()
        asyncio.run(_migrate(url))
        server.register_template(TEMPLATE, url)
    url = server.create_database(template=TEMPLATE)
    yield url
    server.start()
    server.drop_database(url)


def _emptied(server: SqlServer) -> Iterator[str]:
    if server.emptied is None:
        server.emptied = server.create_database()
        asyncio.run(_migrate(server.emptied))
    server.empty(server.emptied)
    yield server.emptied


async def _migrate(url: str) -> None:
    store = Store(driver_for(url))
    await store.open()
    await migrate(store.driver)
    await store.close()


@pytest.fixture(params=CHOSEN)
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each database that we support, one after the other, as in all tests; with our schema where it is a server's."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
    else:
        yield from copy_of_migrated(request.getfixturevalue(request.param))


@pytest.fixture(params=[name for name in CHOSEN if name not in {"sqlite", "sqlserver"}])
def several_sessions_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database whose sessions run side by side: SQLite has one writer."""
    yield from copy_of_migrated(request.getfixturevalue(request.param))


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    """A fresh database, once on each that we support; what must hold of it at rest is looked at afterwards."""
    async for world in _world(database_url):
        yield world


@pytest.fixture
async def shared(several_sessions_url: str) -> AsyncIterator[World]:
    """A world on PostgreSQL, for races between sessions."""
    async for world in _world(several_sessions_url):
        yield world


async def _world(url: str) -> AsyncIterator[World]:
    world = await World.begin(url)
    try:
        yield world
        await assert_consistent(world)
        await assert_verified(world.store)
    finally:
        await world.end()
