"""The seam between databases: what a driver can do. Repositories are written once, above it."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, NamedTuple, Protocol, TypeVar

from batchanator.domain.errors import TransientError
from batchanator.store.statements import Dialect, Statement

Row = Mapping[str, Any]
Values = Sequence[Any]
"""A row by position; instants are as the database has them."""
T = TypeVar("T")
TRANSIENT_TRIES = 6


class Table(NamedTuple):
    """A table that takes rows in bulk, and the columns that are given."""

    name: str
    columns: tuple[str, ...]


class Session(Protocol):
    """One transaction, or (from a driver) one autocommitted statement at a time."""

    @property
    def dialect(self) -> Dialect: ...

    async def fetch(self, statement: Statement, /, **parameters: object) -> list[Row]:
        """Run the statement and return its rows: `*_at` and `*_until` columns are aware datetimes in UTC."""
        ...

    async def fetch_values(self, statement: Statement, /, **parameters: object) -> Sequence[Values]:
        """Run the statement and return its rows by position: for thousands, where a mapping each is too dear."""
        ...

    async def insert(self, table: Table, rows: Sequence[tuple[object, ...]]) -> None:
        """Insert rows in bulk: COPY on PostgreSQL, one prepared INSERT on SQLite. UniqueError where a key is taken."""
        ...


class Listener(Protocol):
    """A connection over which processes tell each other a word. All raise only StoreError."""

    lost: asyncio.Event
    """It has ended."""

    async def tell(self, word: str) -> None: ...

    async def close(self) -> None: ...


class Usage(NamedTuple):
    """Connections of one driver: at work now, and at most."""

    used: int
    limit: int


class Driver(Session, Protocol):
    """One database. Every call ends in bounded time and raises only StoreError and its children."""

    @property
    def engine(self) -> str:
        """What runs the database, without its place: for whoever may ask."""
        ...

    @property
    def description(self) -> str:
        """The engine and the database's place, without a secret: for whoever runs this process."""
        ...

    @property
    def usage(self) -> Usage: ...

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    def transaction(self) -> AbstractAsyncContextManager[Session]:
        """READ COMMITTED, committed durably at the end of the block, rolled back by whatever leaves it early."""
        ...

    async def run_script(self, script: str, session: Session) -> None:
        """Run a migration's statements inside the session's transaction."""
        ...

    async def listen(self, channel: str, heard: Callable[[str], None]) -> Listener | None:
        """Open a connection of its own that hears every word told on `channel`; None where there is no such thing."""
        ...

    def exclusive(self, name: str) -> AbstractAsyncContextManager[Session]:
        """Open a transaction that only one process at a time holds for `name`."""
        ...


async def again_if_transient(work: Callable[[], Awaitable[T]]) -> T:
    """Run the whole of `work` again after a deadlock, serialisation failure or lock time-out; bounded."""
    for attempt in range(1, TRANSIENT_TRIES):
        try:
            return await work()
        except TransientError:
            await asyncio.sleep(random.uniform(0.5, 1) * 0.01 * 2**attempt)  # noqa: S311 - parts rivals, no secret
    return await work()


async def fetch_one(session: Session, statement: Statement, **parameters: object) -> Row | None:
    rows = await session.fetch(statement, **parameters)
    return rows[0] if rows else None
