"""What an operator does to a job, in a database that is there already."""

import getpass
from collections.abc import Awaitable, Callable
from typing import TypeVar

from batchanator.app.loops import run
from batchanator.app.opening import existing_store
from batchanator.settings import Settings
from batchanator.store.operations import Operations
from batchanator.store.wakeups import Wakeups

T = TypeVar("T")


def operate(settings: Settings, action: Callable[[Operations], Awaitable[T]]) -> T:
    async def work() -> T:
        async with existing_store(settings, read_only=False) as store:
            return await action(Operations(store, Wakeups()))

    return run(work())


def actor() -> str:
    """Return who asks, for the record."""
    try:
        return f"cli:{getpass.getuser()}"
    except (OSError, KeyError, ImportError):
        return "cli"
