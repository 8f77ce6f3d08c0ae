from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.client import QUIET, Client, served
from tests.contract.invariants import assert_consistent
from tests.support.checking import assert_verified


@pytest.fixture
async def live(database_url: str, tmp_path: Path) -> AsyncIterator[Client]:
    """The whole service, on each database."""
    settings: dict[str, Any] = {"chunk_size": 10, "processing_batch_size": 4, "shutdown_grace_seconds": 0.1}
    async with served(database_url, tmp_path, **settings) as client:
        yield client
    await assert_verified(database_url)


@pytest.fixture
async def quiet(database_url: str, tmp_path: Path) -> AsyncIterator[Client]:
    """The API alone, on each database: `world` does the work, as far as a test wants it done."""
    async with served(database_url, tmp_path, parts=QUIET) as client:
        yield client
        await assert_consistent(client.world)
