"""The two databases that are measured, and the raw statements that set them up: never what is measured."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import asyncpg

from batchanator.store.migrations import migrate
from batchanator.store.sqlite_library import dbapi
from batchanator.store.store import Store, driver_for
from tests.postgres import PostgresServer

KEPT = ("schema_migrations",)


class Place(Protocol):
    """A database. `fresh` empties it and brings the schema; `run` runs statements, each by itself."""

    @property
    def name(self) -> str: ...

    @property
    def url(self) -> str: ...

    @property
    def false(self) -> str:
        """How the dialect writes it."""
        ...

    async def fresh(self) -> None: ...

    async def run(self, *statements: str) -> list[tuple[Any, ...]]: ...

    async def settle_down(self) -> None:
        """Write out what is left of earlier steps, so that the next does not pay for it."""
        ...

    def server_cpu(self) -> float: ...

    async def wal_position(self) -> int: ...


class PostgresPlace:
    name = "postgresql"
    false = "false"

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self.url = server.create_database()
        self._migrated = False

    async def fresh(self) -> None:
        if not self._migrated:
            await _migrate(self.url)
            self._migrated = True
        tables = await self.run("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        names = ", ".join(name for (name,) in tables if name not in KEPT)
        await self.run(f"TRUNCATE {names} RESTART IDENTITY")
        await self.settle_down()

    async def run(self, *statements: str) -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(self.url)
        try:
            rows: Sequence[Any] = []
            for statement in statements:
                rows = await connection.fetch(statement)
            return [tuple(row) for row in rows]
        finally:
            await connection.close()

    async def settle_down(self) -> None:
        await self.run("CHECKPOINT")

    def server_cpu(self) -> float:
        return self._server.cpu_seconds()

    async def wal_position(self) -> int:
        return int((await self.run("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')"))[0][0])


class SqlitePlace:
    name = "sqlite"
    false = "0"

    def __init__(self, folder: Path) -> None:
        self.path = folder / "bench.db"
        self.url = f"sqlite:///{self.path.as_posix()}"

    async def fresh(self) -> None:
        for ending in ("", "-wal", "-shm", "-journal"):
            self.path.with_name(self.path.name + ending).unlink(missing_ok=True)
        await _migrate(self.url)

    async def run(self, *statements: str) -> list[tuple[Any, ...]]:
        connection = dbapi.connect(str(self.path), isolation_level=None)
        try:
            rows: list[tuple[Any, ...]] = []
            for statement in statements:
                rows = connection.execute(statement).fetchall()
            return rows
        finally:
            connection.close()

    async def settle_down(self) -> None:
        await self.run("PRAGMA wal_checkpoint(TRUNCATE)")

    def server_cpu(self) -> float:
        return 0.0

    async def wal_position(self) -> int:
        return 0


async def _migrate(url: str) -> None:
    store = Store(driver_for(url))
    await store.open()
    try:
        await migrate(store.driver)
    finally:
        await store.close()


@contextmanager
def postgres() -> Iterator[PostgresPlace]:
    """A server of its own, PostgreSQL 18 as installed, on disk; gone at the end."""
    with PostgresServer(18) as server:
        yield PostgresPlace(server)


@contextmanager
def sqlite() -> Iterator[SqlitePlace]:
    with TemporaryDirectory(prefix="batchanator-bench-") as folder:
        yield SqlitePlace(Path(folder))
