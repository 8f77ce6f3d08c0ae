"""Threads for handlers that are plain functions. One that does not come back cannot be stopped: it is counted."""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog

_log = structlog.get_logger("batchanator.handlers")


class HandlerThreads:
    def __init__(self, count: int) -> None:
        self._count = count
        self._pool: ThreadPoolExecutor | None = None
        self.stuck = 0
        """How many threads run a handler whose attempt timed out."""

    async def call(self, function: Callable[[Any, Any], Any], payload: Any, context: Any) -> Any:
        """Run a plain function in a thread; a cancellation leaves the thread to end by itself."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._count, thread_name_prefix="handler")
        future = self._pool.submit(contextvars.copy_context().run, function, payload, context)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            if future.running():
                self._replace(self._pool, future)
            raise

    def _replace(self, pool: ThreadPoolExecutor, future: Any) -> None:
        """Give the pool a thread in place of the one that does not come back, until it does."""
        self.stuck += 1
        pool._max_workers += 1  # noqa: SLF001 - there is no public way to grow a pool
        _log.warning("thread.stuck", stuck=self.stuck)

        def back(_: Any) -> None:
            self.stuck -= 1
            pool._max_workers -= 1  # noqa: SLF001 - as above

        future.add_done_callback(back)

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
