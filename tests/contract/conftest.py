from collections.abc import AsyncIterator, Iterator

import pytest

from tests.conftest import CHOSEN, _database_of
from tests.contract.invariants import assert_consistent
from tests.contract.world import World


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    """A fresh database, once on each that we support; what must hold of it at rest is looked at afterwards."""
    world = await World.begin(database_url)
    try:
        yield world
        await assert_consistent(world)
    finally:
        await world.end()


@pytest.fixture(params=[name for name in CHOSEN if name != "sqlite"])
def several_sessions_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database whose sessions run side by side: SQLite has one writer."""
    yield from _database_of(request.getfixturevalue(request.param))


@pytest.fixture
async def shared(several_sessions_url: str) -> AsyncIterator[World]:
    """A world on PostgreSQL, for races between sessions."""
    world = await World.begin(several_sessions_url)
    try:
        yield world
        await assert_consistent(world)
    finally:
        await world.end()
