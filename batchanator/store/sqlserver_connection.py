"""One connection to SQL Server on a thread of its own; whoever is cancelled leaves it to end by itself."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

from batchanator.domain.errors import UnavailableError
from batchanator.store.driver import Row
from batchanator.store.odbc import LOGIN_SECONDS, pyodbc
from batchanator.store.sqlserver_values import Bound, rows_from, translate

T = TypeVar("T")
COMMAND_SECONDS = 60
LOCK_SECONDS = 30
_CACHED = 128
# What indexed filters, a persisted computed column and READPAST need, whatever the server's or the login's defaults.
SESSION = f"""
SET NOCOUNT ON; SET XACT_ABORT ON; SET IMPLICIT_TRANSACTIONS OFF; SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
SET LOCK_TIMEOUT {LOCK_SECONDS * 1000}; SET QUOTED_IDENTIFIER ON; SET ANSI_NULLS ON; SET ANSI_PADDING ON;
SET ANSI_WARNINGS ON; SET ARITHABORT ON; SET CONCAT_NULL_YIELDS_NULL ON; SET NUMERIC_ROUNDABORT OFF;
"""


class Connection:
    """Everything that touches the ODBC connection runs on its thread, one piece after the other."""

    def __init__(self, string: str) -> None:
        self._string = string
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._odbc: Any = None
        self._cursors: dict[str, Any] = {}
        self._running: Any = None
        self.broken = False
        """A statement of it was cancelled or timed out, or it was lost: it is thrown away."""
        threading.Thread(target=self._serve, name="sqlserver", daemon=True).start()

    def _serve(self) -> None:
        while (piece := self._work.get()) is not None:
            piece()
        with contextlib.suppress(Exception):
            self._odbc.close()

    async def run(self, work: Callable[[], T]) -> T:
        """Run `work` on the thread. A cancelled caller goes at once; the connection is lost with it."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def tell(setter: Callable[[Any], None], value: Any) -> None:
            if not future.done():
                setter(value)

        def piece() -> None:
            try:
                result = work()
            except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
                call: tuple[Callable[[Any], None], Any] = (future.set_exception, error)
            else:
                call = (future.set_result, result)
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(tell, *call)

        self._work.put(piece)
        try:
            async with asyncio.timeout(COMMAND_SECONDS + LOGIN_SECONDS):
                return await future
        except TimeoutError as error:
            self.end()
            raise UnavailableError("SQL Server: no answer in time") from error
        except asyncio.CancelledError:
            self.end()
            raise

    def end(self) -> None:
        """Break off what runs, and close once it has ended."""
        self.broken = True
        running = self._running
        if running is not None:
            with contextlib.suppress(Exception):
                running.cancel()  # the one call that ODBC allows from another thread
        self._work.put(None)

    def connect(self) -> None:
        """Log in and set up the session. Runs on the thread, as all below."""
        module = pyodbc()
        try:
            self._odbc = module.connect(self._string, timeout=LOGIN_SECONDS, autocommit=True)
            self._odbc.timeout = COMMAND_SECONDS
            self._odbc.execute(SESSION).close()
        except module.Error as error:
            self.broken = True
            raise translate(error) from error

    def fetch(self, bound: Bound, *, committing: bool = False) -> list[Row]:
        """Run a batch and return the rows of its one result; errors behind the rows are raised as well."""
        module = pyodbc()
        cursor = self._cursor(bound.text)
        self._running = cursor
        try:
            if bound.values:
                cursor.setinputsizes([_size(module, value) for value in bound.values])
                cursor.execute(bound.text, bound.values)
            else:
                cursor.execute(bound.text)
            names: list[str] = []
            rows: list[Any] = []
            while True:
                if cursor.description:
                    names, rows = [column[0] for column in cursor.description], cursor.fetchall()
                if not cursor.nextset():
                    break
        except module.Error as error:
            self._cursors.pop(bound.text, None)
            translated = translate(error, committing=committing)
            self.broken = self.broken or isinstance(translated, UnavailableError)
            raise translated from error
        finally:
            self._running = None
        return rows_from(names, rows)

    def _cursor(self, text: str) -> Any:
        """Return the cursor that has prepared this text before: the server then gets a handle instead of it."""
        cursor = self._cursors.pop(text, None)
        if cursor is None:
            cursor = self._odbc.cursor()
            if len(self._cursors) >= _CACHED:
                self._cursors.pop(next(iter(self._cursors))).close()
        self._cursors[text] = cursor
        return cursor


def _size(module: Any, value: Any) -> Any:
    """Return the type to bind by: texts at one width each, so that their lengths make no new plans."""
    if value is None:
        return (module.SQL_WVARCHAR, 1, 0)
    if isinstance(value, str):
        return (module.SQL_WVARCHAR, 4000 if len(value) <= 2000 else 0, 0)
    return None
