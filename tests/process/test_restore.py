"""A backup taken in the middle of work, as docs/operations.md says it, is whole; restored, it goes on to the end."""

import asyncio
import contextlib
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from batchanator.store.store import sqlite_path
from tests.postgres import PostgresServer
from tests.process.databases import on
from tests.process.scene import Scene
from tests.support.checking import assert_verified

pytestmark = pytest.mark.process
ITEMS = 600


@contextlib.contextmanager
def in_the_middle(scene: Scene) -> Iterator[int]:
    """Work on a job meanwhile, and then no more, however that ended."""
    job = scene.submit("ledger", [{"ms": 40}] * ITEMS)
    worker = scene.start()
    scene.wait_succeeded(50)
    yield job
    assert scene.open_jobs()
    worker.kill()


def assert_goes_on(url: str, folder: Path, job: int) -> None:
    asyncio.run(assert_verified(url))
    folder.mkdir()
    restored = Scene(url, folder)
    try:
        assert restored.open_jobs()
        done = restored.succeeded()
        assert 0 < done < ITEMS
        worker = restored.start()
        restored.wait_ended()
        worker.stop()
        assert restored.statuses(job) == {"succeeded": ITEMS}
        assert restored.attempts() == []
        assert len(restored.ledger.starts()) <= ITEMS - done  # what the backup had on record runs no more
        asyncio.run(assert_verified(url))
    finally:
        restored.end()


def backup(source: sqlite3.Connection, copy: Path) -> None:
    with contextlib.closing(sqlite3.connect(copy)) as target:
        source.backup(target)


def vacuum_into(source: sqlite3.Connection, copy: Path) -> None:
    source.execute("VACUUM INTO ?", (str(copy),))


@on("sqlite")
@pytest.mark.parametrize(("how", "mode"), [(backup, "ro"), (vacuum_into, "rw")])
def test_a_copy_of_a_working_sqlite_database_is_whole(
    scene: Scene, tmp_path: Path, how: Callable[[sqlite3.Connection, Path], None], mode: str
) -> None:
    copy = tmp_path / "backup.db"
    with in_the_middle(scene) as job:
        path = f"file:{sqlite_path(scene.url)}?mode={mode}"
        with contextlib.closing(sqlite3.connect(path, uri=True)) as source:
            how(source, copy)
    assert_goes_on(f"sqlite:///{copy}", tmp_path / "restored", job)


@on("postgres16", "postgres18")
def test_a_dump_of_a_working_postgresql_database_is_whole(
    scene: Scene, tmp_path: Path, database: str, request: pytest.FixtureRequest
) -> None:
    server: PostgresServer = request.getfixturevalue(database)
    dump = tmp_path / "backup.dump"
    with in_the_middle(scene) as job:
        subprocess.run([server._bin / "pg_dump", "--format=custom", "--file", dump, scene.url], check=True)
    url = server.create_database()
    try:
        subprocess.run(
            [server._bin / "pg_restore", "--no-owner", "--exit-on-error", "--dbname", url, dump], check=True
        )
        assert_goes_on(url, tmp_path / "restored", job)
    finally:
        server.drop_database(url)
