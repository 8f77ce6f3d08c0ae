"""The SQL Server driver: a bounded pool of ODBC connections, a thread each; READ COMMITTED; translated errors.

A statement outside a transaction is one batch that opens and ends its own, so that a client that stands still between
two calls leaves no lock behind. Within a transaction an error has rolled back everything (XACT_ABORT): nothing else of
it runs.
"""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from urllib.parse import unquote, urlsplit

from batchanator.domain.errors import OutcomeUnknownError, StoreError, TransientError, UnavailableError
from batchanator.store.driver import Listener, Row, Session, Table, Usage, Values, again_if_transient
from batchanator.store.odbc import connection_string, find_driver, pyodbc
from batchanator.store.sqlserver_connection import LOCK_SECONDS, Connection
from batchanator.store.sqlserver_values import ROWS, Bound, batches_of, bind, insert_of, json_rows
from batchanator.store.statements import Dialect, Statement

ACQUIRE_SECONDS = 5.0
_LOCK = Bound(
    "DECLARE @name nvarchar(255) = ?, @milliseconds int = ?, @result int;\n"
    "EXEC @result = sp_getapplock @Resource = @name, @LockMode = 'Exclusive', @LockOwner = 'Transaction',"
    " @LockTimeout = @milliseconds;\nSELECT @result AS result;",
    (),
)
_BEGIN = Bound("BEGIN TRANSACTION", ())
_COMMIT = Bound("COMMIT TRANSACTION", ())
_ROLL_BACK = Bound("IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION", ())


class _SqlServerSession:
    """A transaction on one connection."""

    dialect = Dialect.SQLSERVER

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._ended = False

    async def run(self, bound: Bound) -> list[Row]:
        if self._ended:
            raise StoreError("SQL Server: the transaction was rolled back by the error before this statement")
        try:
            return await self.connection.run(partial(self.connection.fetch, bound))
        except BaseException:
            self._ended = True
            raise

    async def fetch(self, statement: Statement, /, **parameters: object) -> list[Row]:
        return await self.run(_bound(statement, parameters, within=True))

    async def fetch_values(self, statement: Statement, /, **parameters: object) -> list[Values]:
        return [tuple(row.values()) for row in await self.fetch(statement, **parameters)]

    async def insert(self, table: Table, rows: Sequence[tuple[object, ...]]) -> None:
        for start in range(0, len(rows), ROWS):
            await self.run(Bound(insert_of(table), (_json(table, rows[start : start + ROWS]),)))


class SqlServerDriver:
    dialect = Dialect.SQLSERVER

    def __init__(self, url: str, *, connections: int = 8) -> None:
        self._url = url
        self._string: str | None = None
        self._limit = connections
        self._slots = asyncio.Semaphore(connections)
        self._idle: list[Connection] = []
        self._all: set[Connection] = set()
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @property
    def engine(self) -> str:
        return "SQL Server"

    @property
    def description(self) -> str:
        parts = urlsplit(self._url)
        return f"SQL Server at {parts.hostname or 'local'}:{parts.port or 1433}{unquote(parts.path)}"

    @property
    def usage(self) -> Usage:
        return Usage(len(self._all) - len(self._idle), self._limit)

    async def open(self) -> None:
        self._string = connection_string(self._url, find_driver(pyodbc().drivers()))
        async with self._connection():
            return  # one login shows whether the rest may be expected to work

    async def close(self) -> None:
        self._string = None
        connections, self._all, self._idle = self._all, set(), []
        for connection in connections:
            connection.end()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        """The only way to a connection: always with a timeout. A broken one is thrown away, its slot is not."""
        if self._string is None:
            raise UnavailableError("the database is not open")
        try:
            async with asyncio.timeout(ACQUIRE_SECONDS):
                await self._slots.acquire()
        except TimeoutError as error:
            raise UnavailableError("SQL Server: every connection is busy") from error
        try:
            connection = self._idle.pop() if self._idle else await self._connect(self._string)
            try:
                yield connection
            finally:
                if connection.broken or self._string is None:
                    self._all.discard(connection)
                    connection.end()
                else:
                    self._idle.append(connection)
        finally:
            self._slots.release()

    async def _connect(self, string: str) -> Connection:
        connection = Connection(string)
        try:
            await connection.run(connection.connect)
        except BaseException:
            connection.end()
            raise
        self._all.add(connection)
        return connection

    async def fetch(self, statement: Statement, /, **parameters: object) -> list[Row]:
        bound = _bound(statement, parameters, within=False)
        writes = statement.sqlserver.writes

        async def once() -> list[Row]:
            async with self._connection() as connection:
                return await connection.run(partial(connection.fetch, bound, committing=writes))

        return await again_if_transient(once)

    async def fetch_values(self, statement: Statement, /, **parameters: object) -> list[Values]:
        return [tuple(row.values()) for row in await self.fetch(statement, **parameters)]

    async def insert(self, table: Table, rows: Sequence[tuple[object, ...]]) -> None:
        async with self.transaction() as session:
            await session.insert(table, rows)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        async with self._connection() as connection:
            await connection.run(partial(connection.fetch, _BEGIN))
            session = _SqlServerSession(connection)
            try:
                yield session
            except BaseException:
                await self._roll_back(connection)
                raise
            await self._commit(session)

    @staticmethod
    async def _commit(session: _SqlServerSession) -> None:
        connection = session.connection
        try:
            await connection.run(partial(connection.fetch, _COMMIT, committing=True))
        except asyncio.CancelledError:
            raise
        except UnavailableError as error:
            raise OutcomeUnknownError(str(error)) from error

    @staticmethod
    async def _roll_back(connection: Connection) -> None:
        if connection.broken:
            return  # the server rolls back what its connection leaves
        try:
            await connection.run(partial(connection.fetch, _ROLL_BACK))
        except BaseException:
            connection.broken = True
            raise

    async def run_script(self, script: str, session: Session) -> None:
        assert isinstance(session, _SqlServerSession)
        for batch in batches_of(script):
            await session.run(Bound(batch, ()))

    async def listen(self, channel: str, heard: Callable[[str], None]) -> Listener | None:
        """None: other processes' work is found by the poll."""
        del channel, heard
        return None

    @asynccontextmanager
    async def exclusive(self, name: str) -> AsyncIterator[Session]:
        """Hold an application lock as long as the transaction lives; one of this process waits for it at a time."""
        resource = f"batchanator {hashlib.sha256(name.encode()).hexdigest()}"
        async with self._locks[name], self.transaction() as session:
            assert isinstance(session, _SqlServerSession)
            rows = await session.run(Bound(_LOCK.text, (resource, LOCK_SECONDS * 1000)))
            _check_lock(int(rows[0]["result"]), name)
            yield session


def _check_lock(result: int, name: str) -> None:
    """Raise where sp_getapplock did not grant the lock (0 at once, 1 after a wait)."""
    if result >= 0:
        return
    text = f"SQL Server: the lock {name!r} was not granted"
    match result:
        case -1:
            raise TransientError(f"{text}: another holds it for longer than {LOCK_SECONDS} s")
        case -2:
            raise UnavailableError(f"{text}: the request was cancelled")
        case (
            -3
        ):  # it was chosen as a deadlock's victim; the transaction is still there and is rolled back by us
            raise TransientError(f"{text}: deadlock")
        case _:
            raise StoreError(f"{text}: sp_getapplock answered {result}")


def _bound(statement: Statement, parameters: dict[str, object], *, within: bool) -> Bound:
    try:
        return bind(statement, parameters, within=within)
    except ValueError as error:  # a text that is no UTF-8
        raise StoreError(f"SQL Server: {type(error).__name__} in a parameter") from error


def _json(table: Table, rows: Sequence[tuple[object, ...]]) -> str:
    try:
        return json_rows(table, rows)
    except ValueError as error:
        raise StoreError(f"SQL Server: {type(error).__name__} in a row of {table.name}") from error
