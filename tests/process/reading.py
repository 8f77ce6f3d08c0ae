"""What a test reads of a database, by connections of its own."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

import asyncpg

from batchanator.store.sqlite_library import dbapi
from batchanator.store.store import sqlite_path

Rows = list[tuple[Any, ...]]


def is_sqlite(url: str) -> bool:
    return url.startswith("sqlite:")


def read(url: str, *queries: str) -> list[Rows]:
    """Return the rows of each query, all of one snapshot."""
    if is_sqlite(url):
        with contextlib.closing(_connect_sqlite(url, "ro")) as connection:
            connection.execute("BEGIN")
            return [list(connection.execute(query)) for query in queries]
    return asyncio.run(_read_postgres(url, queries))


def change(url: str, command: str) -> None:
    if is_sqlite(url):
        with contextlib.closing(_connect_sqlite(url, "rw")) as connection:
            connection.execute(command)
    else:
        asyncio.run(_change_postgres(url, command))


def _connect_sqlite(url: str, mode: str) -> Any:
    uri = f"file:{sqlite_path(url)}?mode={mode}"
    return dbapi.connect(uri, uri=True, isolation_level=None, timeout=20)


async def _read_postgres(url: str, queries: Sequence[str]) -> list[Rows]:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            return [[tuple(row) for row in await connection.fetch(query)] for query in queries]
    finally:
        await connection.close(timeout=5)


async def _change_postgres(url: str, command: str) -> None:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        await connection.execute(command)
    finally:
        await connection.close(timeout=5)
