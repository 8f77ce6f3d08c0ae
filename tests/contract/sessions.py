"""Two sessions in a race on PostgreSQL, in a chosen order: one is held up until the other is where it must be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import ClassVar, Self, TypeVar

from batchanator.store.probes import set_probe
from batchanator.store.store import Repositories, Store
from tests.contract.world import DEADLINE, World, statement

T = TypeVar("T")
_SCHEMA = "CREATE SCHEMA IF NOT EXISTS gate"
_CLOCK = """
CREATE OR REPLACE FUNCTION gate.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(7);
  RETURN pg_catalog.clock_timestamp();
END $$
"""


class Gate:
    """A session whose statements wait at their first look at the clock, when their snapshot is taken already.

    The product's statement is untouched: `clock_timestamp` is looked up in a schema of ours first.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._stack = AsyncExitStack()
        self.store: Store

    async def __aenter__(self) -> Self:
        await self._world.fetch(_SCHEMA)
        await self._world.fetch(_CLOCK)
        self.store = await self._world.another(f"{self._world.url}?search_path=gate,pg_catalog,public")
        key = await self._world.another()
        tx = await self._stack.enter_async_context(key.transaction())
        await tx.session.fetch(statement("SELECT pg_advisory_xact_lock(7)"))
        return self

    async def open(self) -> None:
        await self._stack.aclose()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()


@asynccontextmanager
async def meanwhile(work: Awaitable[T]) -> AsyncIterator[asyncio.Task[T]]:
    """Run `work` beside the block; its result is there after the block."""

    async def run() -> T:
        async with asyncio.timeout(DEADLINE):
            return await work

    task = asyncio.ensure_future(run())
    try:
        yield task
        await asyncio.wait([task])
    finally:
        if not task.done():
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def overtake(
    world: World, first: Callable[[Repositories], Awaitable[object]], second: Awaitable[T]
) -> T:
    """Do `first` in a transaction that is committed only once `second` waits for it; return what `second` does."""
    other = await world.another()
    async with AsyncExitStack() as stack:
        task = None
        async with other.transaction() as tx:
            await first(tx)
            task = await stack.enter_async_context(meanwhile(second))
            await world.until_blocked()
    return await task


class StopPoint:
    """Holds up whoever comes to a named probe for the n-th time (from 1), until it is let go."""

    _all: ClassVar[list[StopPoint]] = []

    def __init__(self, name: str, *, at: int = 1) -> None:
        self._name = name
        self._left = at
        self._reached = asyncio.Event()
        self._gone_on = asyncio.Event()

    def __enter__(self) -> Self:
        self._all.append(self)
        set_probe(self._come)
        return self

    def __exit__(self, *_: object) -> None:
        self._all.remove(self)
        self._gone_on.set()
        if not self._all:
            set_probe(None)

    @classmethod
    async def _come(cls, name: str) -> None:
        stops = [one for one in cls._all if one._name == name]
        for one in stops:
            one._left -= 1
        for one in stops:
            if one._left == 0:
                one._reached.set()
                await one._gone_on.wait()

    @property
    def reached(self) -> bool:
        return self._reached.is_set()

    async def wait(self) -> None:
        async with asyncio.timeout(DEADLINE):
            await self._reached.wait()

    def go_on(self) -> None:
        self._gone_on.set()
