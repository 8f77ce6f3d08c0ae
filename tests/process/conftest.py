import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import CHOSEN, _database_of
from tests.process.scene import Scene

if sys.platform == "win32":
    collect_ignore_glob = ["test_*.py"]  # SIGKILL, SIGSTOP and FIFOs are not there

BOTH = tuple(name for name in CHOSEN if name in {"sqlite", "postgres18"})


@pytest.fixture(params=BOTH)
def database(request: pytest.FixtureRequest) -> str:
    """Return which database: SQLite and the newest PostgreSQL, unless a test says otherwise."""
    return str(request.param)


@pytest.fixture
def url(request: pytest.FixtureRequest, database: str) -> Iterator[str]:
    if database == "sqlite":
        yield request.getfixturevalue("sqlite_url")
    else:
        yield from _database_of(request.getfixturevalue(database))


@pytest.fixture
def scene(url: str, tmp_path: Path) -> Iterator[Scene]:
    """A database and what works on it; at the end every process is over, and their logs are shown on failure."""
    scene = Scene(url, tmp_path)
    try:
        yield scene
    finally:
        scene.end()
        print(scene.report())  # noqa: T201 - pytest shows it where a test failed
