"""The store: repositories over one database. `async with store.transaction() as tx` is a store within a transaction."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from batchanator.domain.errors import StoreError
from batchanator.store.actions import Actions
from batchanator.store.batches import Batches
from batchanator.store.cron_runs import CronRuns
from batchanator.store.doctor import Doctor
from batchanator.store.driver import Driver, Session, again_if_transient
from batchanator.store.item_pages import ItemPages
from batchanator.store.items import Items
from batchanator.store.job_types import JobTypes
from batchanator.store.jobs import Jobs
from batchanator.store.keys import Keys
from batchanator.store.lines import Lines
from batchanator.store.outcomes import Outcomes
from batchanator.store.postgres import IDLE_SECONDS, PostgresDriver
from batchanator.store.slices import Slices
from batchanator.store.sqlite import SqliteDriver
from batchanator.store.sqlserver import SqlServerDriver
from batchanator.store.statements import Dialect
from batchanator.store.workers import Workers

T = TypeVar("T")


class Repositories:
    def __init__(self, session: Session) -> None:
        self.session = session
        self.jobs = Jobs(session)
        self.batches = Batches(session)
        self.slices = Slices(session)
        self.items = Items(session)
        self.item_pages = ItemPages(session)
        self.outcomes = Outcomes(session)
        self.keys = Keys(session)
        self.lines = Lines(session)
        self.workers = Workers(session)
        self.job_types = JobTypes(session)
        self.actions = Actions(session)
        self.cron_runs = CronRuns(session)
        self.doctor = Doctor(session)

    @property
    def dialect(self) -> Dialect:
        return self.session.dialect


class Store(Repositories):
    """Every statement called here commits by itself; `transaction` groups several."""

    def __init__(self, driver: Driver) -> None:
        super().__init__(driver)
        self.driver = driver

    async def open(self) -> None:
        await self.driver.open()

    async def close(self) -> None:
        await self.driver.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Repositories]:
        async with self.driver.transaction() as session:
            yield Repositories(session)

    async def transact(self, work: Callable[[Repositories], Awaitable[T]]) -> T:
        """Run `work` in a transaction, the whole of it again after a deadlock or a serialisation failure."""

        async def once() -> T:
            async with self.transaction() as tx:
                return await work(tx)

        return await again_if_transient(once)


def driver_for(
    url: str, *, connections: int = 8, read_only: bool = False, idle_seconds: float = IDLE_SECONDS
) -> Driver:
    """Return the driver for `sqlite:///relative.db`, `sqlite:////absolute.db`, `postgresql://…` or `mssql://…`."""
    scheme = urlsplit(url).scheme.partition("+")[0]
    if scheme == "sqlite":
        return SqliteDriver(Path(sqlite_path(url)), read_only=read_only)
    if scheme in {"postgresql", "postgres"}:
        return PostgresDriver(url, connections=connections, idle_seconds=idle_seconds)
    if scheme == "mssql":
        return SqlServerDriver(url, connections=connections)
    raise StoreError(
        f"database_url: unknown scheme {scheme!r}; sqlite:///, postgresql:// and mssql:// are known"
    )


def sqlite_path(url: str) -> str:
    """Return the path in `sqlite:///relative` or `sqlite:////absolute`; nothing in it is escaped."""
    return url.removeprefix("sqlite:///")
