import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from batchanator.store.sqlite import SqliteDriver
from batchanator.store.sqlite_library import dbapi, journal_mode, wal_is_safe

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 44, 7), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 53, 4), True),
        ((4, 0, 0), True),
    ],
)
def test_a_library_that_can_corrupt_a_wal_gets_the_rollback_journal(
    version: tuple[int, ...], safe: bool
) -> None:
    assert wal_is_safe(version) is safe
    assert journal_mode(version) == ("wal" if safe else "delete")


@pytest.mark.parametrize("journal", ["wal", "delete"])
async def test_the_journal_that_is_told_is_the_one_that_sqlite_has(tmp_path: Path, journal: str) -> None:
    """Not the one that the library's version would choose."""
    path = tmp_path / "there.db"
    with closing(dbapi.connect(path)) as connection:
        connection.execute(f"PRAGMA journal_mode = {journal}")
        connection.execute("CREATE TABLE one (id INTEGER)")
    driver = SqliteDriver(path, read_only=True)
    assert driver.engine == f"SQLite {dbapi.sqlite_version}"
    await driver.open()
    try:
        assert driver.engine == f"SQLite {dbapi.sqlite_version}, journal {journal}"
        assert driver.description == f"SQLite {dbapi.sqlite_version} in there.db, journal {journal}"
    finally:
        await driver.close()


def test_the_system_library_alone_runs_a_file_to_its_end(tmp_path: Path) -> None:
    """Without the extra `sqlite`: whatever journal the system's library may use, the main job works."""
    program = (
        "import sys; sys.modules['pysqlite3'] = None; sys.modules['pysqlite3.dbapi2'] = None\n"
        "from batchanator.store.sqlite_library import dbapi; assert dbapi.__name__ == 'sqlite3', dbapi\n"
        "from batchanator.__main__ import main; main()"
    )
    arguments = [
        "process",
        str(ROOT / "samples/email-notifications.ndjson"),
        "--job-type",
        "email-notification",
        "--handlers",
        "samples.handlers",
        "--database",
        f"sqlite:///{tmp_path}/system.db",
    ]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        env={**os.environ, "BATCHANATOR_SAMPLES_OUTBOX": str(tmp_path / "outbox")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list((tmp_path / "outbox").rglob("*.eml"))) == 10
