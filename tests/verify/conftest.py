import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest

from tests.conftest import CHOSEN, _database_of
from tests.contract.world import World
from tests.support.filling import fill


@dataclass(frozen=True)
class Place:
    """A database that was filled once; tests change it in transactions that they roll back."""

    url: str
    jobs: dict[str, int]


@pytest.fixture(scope="module", params=CHOSEN)
def filled_place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("verify") / "batchanator.db"
        yield _filled(f"sqlite:///{path.as_posix()}")
    else:
        for url in _database_of(request.getfixturevalue(request.param)):
            yield _filled(url)


def _filled(url: str) -> Place:
    async def work() -> dict[str, int]:
        world = await World.begin(url)
        try:
            return (await fill(world)).jobs
        finally:
            await world.end()

    return Place(url, asyncio.run(work()))


@pytest.fixture
async def filled_world(filled_place: Place) -> AsyncIterator[World]:
    world = await World.begin(filled_place.url)
    try:
        yield world
    finally:
        await world.end()
