"""Which SQLite library runs, which journal it may use, and a connection that runs several statements as one unit."""

import importlib
import sqlite3
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

MOST_PARAMETERS = 32_766  # of a statement, in a library as SQLite ships it
BLOCKS = (5000, 1000)  # rows in a statement: a portion's, a chunk's
MINIMUM = (3, 38, 0)  # the -> and ->> operators; RETURNING came with 3.35


def _library() -> Any:
    """Return the newest DB-API module at hand: the extra `sqlite` brings a current library beside the system's."""
    try:
        other = importlib.import_module("pysqlite3.dbapi2")
    except ImportError:
        return sqlite3
    return other if other.sqlite_version_info > sqlite3.sqlite_version_info else sqlite3


dbapi: Any = _library()


def wal_is_safe(version: tuple[int, ...]) -> bool:
    """Tell whether several connections may write a WAL: 3.7.0 to 3.51.2 can corrupt it, but 3.50.7 and 3.44.6."""
    return version >= (3, 51, 3) or version in {(3, 50, 7), (3, 44, 6)}


def journal_mode(version: tuple[int, ...] | None = None) -> str:
    return "wal" if wal_is_safe(version or dbapi.sqlite_version_info) else "delete"


ROLL_BACK = object()
"""A command that ends the connection's transaction, if it is in one.

It asks on the connection's own thread: on another, `in_transaction` waits for the database's mutex while it holds the
interpreter's lock, and the statement that has the mutex may wait for that lock, to call clock_timestamp().
"""


class Unit:
    """Statements to run in one go on the connection's thread; `names` are the last one's columns afterwards."""

    __slots__ = ("names", "parameters", "steps", "transaction")

    def __init__(self, steps: tuple[str, ...], parameters: Mapping[str, Any], *, transaction: bool) -> None:
        self.steps = steps
        self.parameters = parameters
        self.transaction = transaction
        self.names: list[str] = []

    def run(self, connection: Any, execute: Any) -> "_Rows":
        if self.transaction:
            execute("BEGIN IMMEDIATE")
        try:
            rows = self._steps(execute)
            if self.transaction:
                execute("COMMIT")
        except BaseException:
            if self.transaction and connection.in_transaction:
                execute("ROLLBACK")
            raise
        return _Rows(rows)

    def _steps(self, execute: Any) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = []
        for step in self.steps:
            cursor = execute(step, self.parameters)
            rows = cursor.fetchall()  # every row before COMMIT: RETURNING is lazy
            self.names = [column[0] for column in cursor.description or ()]
        return rows


class Bulk:
    """Rows to insert in one go on the connection's thread, a block in a statement.

    sqlite3 gives the interpreter's lock back around every step: with a row a step, whoever parses the next lines keeps
    it, and the two take turns instead of running side by side.
    """

    __slots__ = ("columns", "into", "marks", "rows")

    def __init__(self, table: str, columns: Sequence[str], rows: Sequence[tuple[object, ...]]) -> None:
        self.into = f"INSERT INTO {table} ({', '.join(columns)}) VALUES "  # noqa: S608 - our names
        self.columns = len(columns)
        self.marks = f"({', '.join('?' * len(columns))})"
        self.rows = rows

    def insert(self, execute: Any, executemany: Any) -> "_Rows":
        start, end = 0, len(self.rows)
        for block in BLOCKS:
            if block * self.columns > MOST_PARAMETERS:
                continue
            while end - start >= block:
                values = list(chain.from_iterable(self.rows[start : start + block]))
                execute(_block(self.into, self.marks, block), values)
                start += block
        if start < end:
            executemany(self.into + self.marks, self.rows[start:])
        return _Rows([])


@lru_cache(64)
def _block(into: str, marks: str, rows: int) -> str:
    return into + ", ".join([marks] * rows)


class _Rows:
    """What `execute` of a unit gives back: the fetched rows, where the caller expects a cursor."""

    __slots__ = ("rows",)

    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self.rows = rows

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self.rows


def unit_connection(module: Any) -> Any:
    """Return a subclass of the module's Connection whose `execute` also takes a Unit, a Bulk and ROLL_BACK."""

    class UnitConnection(module.Connection):  # type: ignore[misc]
        def execute(self, command: Any, *arguments: Any) -> Any:
            if isinstance(command, Bulk):
                return command.insert(super().execute, super().executemany)
            if isinstance(command, Unit):
                return command.run(self, super().execute)
            if command is ROLL_BACK:
                if self.in_transaction:
                    super().execute("ROLLBACK")
                return _Rows([])
            return super().execute(command, *arguments)

    return UnitConnection
