"""The database as the command line opens it: waited for, or there already and only looked at."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from time import monotonic

from batchanator.domain.errors import NotFoundError, SchemaError, UnavailableError
from batchanator.domain.masking import mask_credentials
from batchanator.settings import Settings
from batchanator.store.migrations import known, pending
from batchanator.store.store import Store, driver_for, sqlite_path

LONGEST_PAUSE = 5.0


async def open_when_there(
    attempt: Callable[[], Awaitable[None]], database: str, *, wait: timedelta, tell: Callable[[str], None]
) -> None:
    """Try to open until it works or `wait` is over; `tell` is called once, when the first attempt fails."""
    until, pause, told = monotonic() + wait.total_seconds(), 0.25, False
    while True:
        try:
            await attempt()
        except UnavailableError as error:
            left = until - monotonic()
            if left <= 0:
                raise
            if not told:
                tell(
                    f"the database {database} is not there ({error}); trying again for {wait.total_seconds():g} s"
                )
                told = True
            await asyncio.sleep(min(pause, left))
            pause = min(pause * 2, LONGEST_PAUSE)
        else:
            return


@asynccontextmanager
async def existing_store(settings: Settings, *, read_only: bool = True) -> AsyncIterator[Store]:
    """Open a database that is there with our schema in it; nothing is created.

    Raises:
        NotFoundError: there is no such SQLite file. UnavailableError: it cannot be reached.
        SchemaError: the schema is missing, older or newer.
    """
    check_there(settings)
    store = Store(driver_for(settings.database_url, connections=2, read_only=read_only))
    try:
        await store.open()
        await _check_schema(store)
        yield store
    finally:
        await store.close()


def check_there(settings: Settings) -> None:
    """Raise NotFoundError where the configured SQLite file is not there: opening would make one."""
    path = sqlite_file(settings)
    if path is not None and not path.exists():
        raise NotFoundError(f"there is no database {_shown(path)}")


def database_name(settings: Settings) -> str:
    """Return the configured database as people named it, without a password."""
    path = sqlite_file(settings)
    return mask_credentials(settings.database_url) if path is None else _shown(path)


def sqlite_file(settings: Settings) -> Path | None:
    url = settings.database_url
    return Path(sqlite_path(url)) if url.startswith("sqlite:") else None


async def _check_schema(store: Store) -> None:
    missing = await pending(store.driver)
    if not missing:
        return
    if len(missing) == len(known(store.dialect)):
        raise SchemaError("the database has no schema yet: run migrate, or serve")
    raise SchemaError(f"the database lacks migration {missing[0].version:04d}: run migrate, or serve")


def _shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
