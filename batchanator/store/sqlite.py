"""The SQLite driver: one writer connection in its own thread (aiosqlite), read-only readers beside it.

A write outside a transaction runs as one unit on the writer's thread, BEGIN IMMEDIATE to COMMIT, so that neither a
blocked event loop nor a cancelled task can leave it half done.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import aiosqlite

from batchanator.domain.errors import StoreError, UnavailableError
from batchanator.store.driver import Row, Session, Table, Usage, Values, again_if_transient
from batchanator.store.sqlite_connections import BUSY_SECONDS, connect, journal_of, pragmas
from batchanator.store.sqlite_library import (
    MINIMUM,
    ROLL_BACK,
    Bulk,
    Unit,
    dbapi,
    journal_mode,
)
from batchanator.store.sqlite_values import (
    ERRORS,
    bind,
    commands_of,
    not_opened,
    quoted,
    rows_from,
    translate,
)
from batchanator.store.statements import Dialect, Statement

T = TypeVar("T")
READERS = 3


class _SqliteSession:
    """A transaction on the writer connection."""

    dialect = Dialect.SQLITE

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self.connection = connection

    async def fetch(self, statement: Statement, /, **parameters: object) -> list[Row]:
        unit = _unit(statement, parameters, transaction=False)
        rows = await _run(self.connection, unit)
        return rows_from(unit.names, rows)

    async def fetch_values(self, statement: Statement, /, **parameters: object) -> list[Values]:
        return await _run(self.connection, _unit(statement, parameters, transaction=False))

    async def insert(self, table: Table, rows: Sequence[tuple[object, ...]]) -> None:
        if not rows:
            return
        try:
            await self.connection.execute_fetchall(Bulk(table.name, table.columns, rows))
        except ERRORS as error:
            raise translate(error) from error


def _unit(statement: Statement, parameters: Mapping[str, object], *, transaction: bool) -> Unit:
    try:
        return Unit(statement.sqlite.steps, bind(statement, parameters), transaction=transaction)
    except ValueError as error:  # a text that is no UTF-8
        raise StoreError(f"SQLite: {type(error).__name__} in a parameter") from error


async def _run(connection: aiosqlite.Connection, unit: Unit) -> list[Values]:
    try:
        rows: Any = await connection.execute_fetchall(unit)
    except ERRORS as error:
        raise translate(error) from error
    return cast("list[Values]", rows)


class SqliteDriver:
    dialect = Dialect.SQLITE

    def __init__(self, path: Path, *, read_only: bool = False, readers: int = READERS) -> None:
        self.path = path
        self._read_only = read_only
        self._reader_count = readers
        self._writer: aiosqlite.Connection | None = None
        self._readers: asyncio.LifoQueue[aiosqlite.Connection] = asyncio.LifoQueue()
        self._all: list[aiosqlite.Connection] = []
        self.journal: str | None = None
        """The journal that the database has, as SQLite itself says; None before it was opened."""
        self._lock = asyncio.Lock()

    @property
    def engine(self) -> str:
        return f"SQLite {dbapi.sqlite_version}{self._journal()}"

    @property
    def description(self) -> str:
        return f"SQLite {dbapi.sqlite_version} in {self.path.name}{self._journal()}"

    def _journal(self) -> str:
        return "" if self.journal is None else f", journal {self.journal}"

    @property
    def usage(self) -> Usage:
        if not self._all:
            return Usage(0, self._reader_count + (not self._read_only))
        reading = self._reader_count - self._readers.qsize()
        return Usage(reading + self._lock.locked(), len(self._all))

    async def open(self) -> None:
        if dbapi.sqlite_version_info < MINIMUM:
            raise StoreError(
                f"SQLite {dbapi.sqlite_version} is too old, {'.'.join(map(str, MINIMUM))} is needed: "
                "install batchanator[sqlite]"
            )
        if not self.path.parent.is_dir():  # a mistyped path is told, not made
            raise StoreError(f"SQLite: there is no directory {self.path.parent} for {self.path.name}")
        try:
            if not self._read_only:
                self._writer = await connect(f"file:{quoted(self.path)}", self._all)
                self.journal = await journal_of(self._writer, f" = {journal_mode()}")
                await pragmas(self._writer, "PRAGMA synchronous = FULL", "PRAGMA foreign_keys = ON")
            for _ in range(self._reader_count):
                reader = await connect(f"file:{quoted(self.path)}?mode=ro", self._all)
                await pragmas(reader, "PRAGMA query_only = ON")
                self._readers.put_nowait(reader)
                if self.journal is None:
                    self.journal = await journal_of(reader)
        except (*ERRORS, OSError) as error:
            await self.close()
            raise not_opened(error, self.path) from error
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        connections, self._all, self._writer = self._all, [], None
        self.journal = None
        self._readers = asyncio.LifoQueue()
        for connection in reversed(connections):
            await asyncio.shield(connection.close())

    async def fetch(self, statement: Statement, /, **parameters: object) -> list[Row]:
        unit = _unit(statement, parameters, transaction=statement.sqlite.writes)
        rows = await self._fetch(unit)
        return rows_from(unit.names, rows)

    async def fetch_values(self, statement: Statement, /, **parameters: object) -> list[Values]:
        return await self._fetch(_unit(statement, parameters, transaction=statement.sqlite.writes))

    async def _fetch(self, unit: Unit) -> list[Values]:
        if not unit.transaction:
            return await self._read(unit)

        async def once() -> list[Values]:
            async with self._lock:
                return await _uncancelled(_run(self._open_writer(), unit))

        return await again_if_transient(once)

    async def _read(self, unit: Unit) -> list[Values]:
        try:
            async with asyncio.timeout(BUSY_SECONDS):
                reader = await self._readers.get()
        except TimeoutError as error:
            raise UnavailableError("SQLite: every reader is busy") from error
        try:
            return await _uncancelled(_run(reader, unit))
        finally:
            self._readers.put_nowait(reader)

    def _open_writer(self) -> aiosqlite.Connection:
        if self._writer is None:
            raise UnavailableError("SQLite: the database is not open for writing")
        return self._writer

    async def insert(self, table: Table, rows: Sequence[tuple[object, ...]]) -> None:
        async with self.transaction() as session:
            await session.insert(table, rows)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        async with self._lock:
            writer = self._open_writer()
            try:  # from BEGIN on: whatever is cancelled may have happened in the thread
                await self._control(writer, "BEGIN IMMEDIATE")
                yield _SqliteSession(writer)
                await self._control(writer, "COMMIT")
            except BaseException:
                await self._roll_back(writer)
                raise

    async def _control(self, writer: aiosqlite.Connection, command: Any) -> None:
        try:
            await _uncancelled(writer.execute_fetchall(command))
        except ERRORS as error:
            raise translate(error) from error

    async def _roll_back(self, writer: aiosqlite.Connection) -> None:
        """End the transaction before the lock is given back, whatever was cancelled meanwhile."""
        await self._control(writer, ROLL_BACK)

    async def run_script(self, script: str, session: Session) -> None:
        assert isinstance(session, _SqliteSession)
        try:
            for command in commands_of(script):
                await session.connection.execute_fetchall(command)
        except ERRORS as error:
            raise translate(error) from error

    async def listen(self, channel: str, heard: Callable[[str], None]) -> None:
        """Return None: a file tells nobody that it was written."""
        del channel, heard

    def exclusive(self, name: str) -> Any:
        """BEGIN IMMEDIATE already excludes every other writer, whatever the name."""
        del name
        return self.transaction()


async def _uncancelled(work: Awaitable[T]) -> T:
    """Await the end of what already runs in the thread, then let a cancellation through."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            try:
                await asyncio.shield(asyncio.wait([task]))
            except asyncio.CancelledError:
                continue
        if not task.cancelled():
            task.exception()
        raise
