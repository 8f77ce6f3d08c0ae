"""Connections to a SQLite file, each in a thread of its own (aiosqlite)."""

import asyncio
import time
from typing import Any

import aiosqlite

from batchanator.store.sqlite_library import dbapi, unit_connection
from batchanator.store.sqlite_values import ERRORS

BUSY_SECONDS = 10.0
_CONNECTION = unit_connection(dbapi)


async def connect(uri: str, opened: list[aiosqlite.Connection]) -> aiosqlite.Connection:
    """Open a connection and add it to `opened`, from where it is closed whatever goes wrong after."""

    def connector() -> Any:
        connection = dbapi.connect(
            uri,
            uri=True,
            isolation_level=None,
            timeout=BUSY_SECONDS,
            check_same_thread=False,
            cached_statements=256,
            factory=_CONNECTION,
        )
        connection.create_function("clock_timestamp", 0, lambda: time.time_ns() // 1000)
        return connection

    connection = aiosqlite.Connection(connector, 64)
    connection._thread.daemon = True  # noqa: SLF001 - else a process that fails before close never exits
    try:
        connection = await connection
    except ERRORS:
        # Its thread still tells the loop that it ends: a loop that is closed by then would be a traceback.
        await asyncio.to_thread(connection._thread.join, 1.0)  # noqa: SLF001
        raise
    opened.append(connection)
    await pragmas(connection, "PRAGMA cache_size = -65536", "PRAGMA temp_store = MEMORY")
    return connection


async def pragmas(connection: aiosqlite.Connection, *commands: str) -> None:
    for command in commands:
        await connection.execute_fetchall(command)


async def journal_of(connection: aiosqlite.Connection, setting: str = "") -> str:
    """Return the journal that is in force: another than was set where the file system or a reader forbids it."""
    rows: Any = await connection.execute_fetchall(f"PRAGMA journal_mode{setting}")
    return str(rows[0][0])
