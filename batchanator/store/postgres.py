"""The PostgreSQL driver: a bounded asyncpg pool, READ COMMITTED, durable commits, translated errors."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast
from urllib.parse import urlsplit

import asyncpg
import structlog

from batchanator.domain.errors import StoreError, UnavailableError
from batchanator.store.driver import Row, Session, Table, Usage, Values, again_if_transient
from batchanator.store.parameters import columns_of
from batchanator.store.postgres_errors import ERRORS, translate
from batchanator.store.postgres_listener import PostgresListener
from batchanator.store.postgres_pool import EACH_SESSION, open_pool, settings
from batchanator.store.statements import Dialect, Statement

ACQUIRE_SECONDS = 5.0
IDLE_SECONDS = 20.0
_log = structlog.get_logger("batchanator.store")


class _PostgresSession:
    """A transaction on one connection."""

    dialect = Dialect.POSTGRES

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    async def fetch(self, statement: Statement, /, **parameters: object) -> list[Row]:
        text = statement.postgres
        try:
            rows: list[Row] = await self.connection.fetch(
                text.steps[0], *columns_of(text.parameters, parameters)
            )
        except ERRORS as error:
            raise translate(error) from error
        return rows

    async def fetch_values(self, statement: Statement, /, **parameters: object) -> Sequence[Values]:
        return cast("Sequence[Values]", await self.fetch(statement, **parameters))  # a record is both

    async def insert(self, table: Table, rows: Sequence[tuple[object, ...]]) -> None:
        if not rows:
            return
        try:
            await self.connection.copy_records_to_table(table.name, records=rows, columns=table.columns)
        except ERRORS as error:
            raise translate(error) from error


class PostgresDriver:
    dialect = Dialect.POSTGRES

    def __init__(self, url: str, *, connections: int = 8, idle_seconds: float = IDLE_SECONDS) -> None:
        """`idle_seconds`: how long a transaction may stand still before the server ends it; below the lease."""
        self._url = url
        self._settings = settings(min(idle_seconds, IDLE_SECONDS))
        self._connections = connections
        self._pool: Any = None
        self._begin = ""
        """What each transaction runs first: its settings, where a pooler shares the sessions."""

    @property
    def engine(self) -> str:
        return "PostgreSQL through a pooler" if self._begin else "PostgreSQL"

    @property
    def description(self) -> str:
        parts = urlsplit(self._url)
        return f"PostgreSQL at {parts.hostname or 'local'}:{parts.port or 5432}{parts.path}"

    @property
    def usage(self) -> Usage:
        pool = self._pool
        return Usage(0 if pool is None else pool.get_size() - pool.get_idle_size(), self._connections)

    async def open(self) -> None:
        try:
            async with asyncio.timeout(15):
                self._pool, self._begin = await open_pool(self._url, self._connections, self._settings)
        except asyncpg.ProtocolViolationError as error:  # a pooler refuses what the URL asks for
            raise StoreError(f"database_url: {error}") from error
        except ERRORS as error:
            raise translate(error) from error
        except ValueError as error:
            raise StoreError(f"database_url: {error}") from error

    async def close(self) -> None:
        pool, self._pool = self._pool, None
        if pool is None:
            return
        try:
            async with asyncio.timeout(3):
                await pool.close()
        except BaseException as error:
            pool.terminate()
            if not isinstance(error, (TimeoutError, *ERRORS)):
                raise

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        """The only way to a connection: always with a timeout, thrown away after an error that may have broken it."""
        if self._pool is None:
            raise UnavailableError("the database is not open")
        try:
            connection = await self._pool.acquire(timeout=ACQUIRE_SECONDS)
        except ERRORS as error:
            raise translate(error) from error
        try:
            yield connection
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError | UnavailableError):
                _terminate(connection)
            raise
        finally:
            await self._release(connection)

    async def _release(self, connection: Any) -> None:
        try:
            await self._pool.release(connection, timeout=ACQUIRE_SECONDS)
        except ERRORS:
            return  # asyncpg has ended the connection itself

    async def fetch(self, statement: Statement, /, **parameters: object) -> list[Row]:
        text = statement.postgres
        arguments = columns_of(text.parameters, parameters)

        async def once() -> list[Row]:
            if self._begin:
                async with self.transaction() as session:
                    return await session.fetch(statement, **parameters)
            async with self._connection() as connection:
                try:
                    rows: list[Row] = await connection.fetch(text.steps[0], *arguments)
                except ERRORS as error:
                    raise translate(error, committing=text.writes) from error
                return rows

        return await again_if_transient(once)

    async def fetch_values(self, statement: Statement, /, **parameters: object) -> Sequence[Values]:
        return cast("Sequence[Values]", await self.fetch(statement, **parameters))

    async def insert(self, table: Table, rows: Sequence[tuple[object, ...]]) -> None:
        async with self.transaction() as session:
            await session.insert(table, rows)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        async with self._connection() as connection:
            transaction = connection.transaction(isolation="read_committed")
            try:
                await transaction.start()
                if self._begin:
                    await connection.execute(self._begin)
            except ERRORS as error:
                raise translate(error) from error
            try:
                yield _PostgresSession(connection)
            except BaseException:
                try:
                    async with asyncio.timeout(ACQUIRE_SECONDS):
                        await transaction.rollback()
                except ERRORS:
                    _terminate(connection)
                raise
            try:
                await transaction.commit()
            except ERRORS as error:
                raise translate(error, committing=True) from error

    async def run_script(self, script: str, session: Session) -> None:
        assert isinstance(session, _PostgresSession)
        try:
            await session.connection.execute(script)
        except ERRORS as error:
            raise translate(error) from error

    async def listen(self, channel: str, heard: Callable[[str], None]) -> PostgresListener | None:
        if self._begin:
            _log.info(
                "wakeups.polled", reason="a pooler is between us and PostgreSQL: nobody can LISTEN through it"
            )
            return None
        return await PostgresListener.open(self._url, channel, heard, EACH_SESSION | self._settings)

    @asynccontextmanager
    async def exclusive(self, name: str) -> AsyncIterator[Session]:
        """Hold a transaction-level advisory lock (PgBouncer-safe) on the name's 64-bit hash."""
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
        async with self.transaction() as session:
            assert isinstance(session, _PostgresSession)
            try:
                await session.connection.execute("SELECT pg_advisory_xact_lock($1)", number)
            except ERRORS as error:
                raise translate(error) from error
            yield session


def _terminate(connection: Any) -> None:
    with contextlib.suppress(*ERRORS):  # the pool may have ended it already
        connection.terminate()
