"""What a test reads of a database, by a connection of its own."""

import asyncio
import contextlib
from typing import Any

import asyncpg

from batchanator.store.sqlite_library import dbapi
from batchanator.store.store import sqlite_path

Rows = list[tuple[Any, ...]]
_LOST = (asyncpg.InterfaceError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError, OSError)


def is_sqlite(url: str) -> bool:
    return url.startswith("sqlite:")


class Reader:
    def __init__(self, url: str) -> None:
        self._url = url
        self._runner = asyncio.Runner()
        self._connection: Any = None

    def read(self, *queries: str) -> list[Rows]:
        """Return the rows of each query, all of one snapshot."""
        if is_sqlite(self._url):
            with contextlib.closing(connect_sqlite(self._url, "ro")) as connection:
                connection.execute("BEGIN")
                return [list(connection.execute(query)) for query in queries]
        try:
            return self._runner.run(self._read(queries))
        except _LOST:  # the server was restarted since the last time
            self._connection = None
            return self._runner.run(self._read(queries))

    async def _read(self, queries: tuple[str, ...]) -> list[Rows]:
        if self._connection is None:
            settings = {"application_name": "test"}
            self._connection = await asyncpg.connect(
                self._url, timeout=10, server_settings=settings, statement_cache_size=0
            )
        async with self._connection.transaction(isolation="repeatable_read", readonly=True):
            return [[tuple(row) for row in await self._connection.fetch(query)] for query in queries]

    def close(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
        self._runner.close()


def connect_sqlite(url: str, mode: str, *, timeout: float = 20) -> Any:
    uri = f"file:{sqlite_path(url)}?mode={mode}"
    return dbapi.connect(uri, uri=True, isolation_level=None, timeout=timeout)


def is_unlocked(url: str) -> bool:
    """Tell whether a SQLite file can be written now."""
    with contextlib.closing(connect_sqlite(url, "rw", timeout=0)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except dbapi.OperationalError:
            return False
        connection.execute("ROLLBACK")
        return True


def change(url: str, command: str) -> None:
    if is_sqlite(url):
        with contextlib.closing(connect_sqlite(url, "rw")) as connection:
            connection.execute(command)
    else:
        asyncio.run(_change_postgres(url, command))


async def _change_postgres(url: str, command: str) -> None:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        await connection.execute(command)
    finally:
        await connection.close(timeout=5)
