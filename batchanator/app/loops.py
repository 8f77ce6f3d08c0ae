"""Run a coroutine on the fastest event loop that this platform has."""

import asyncio
import importlib
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
DEAF_SECONDS = 1.0


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run `main`; what is left of other tasks then is cancelled, and left behind where it takes no notice."""
    runner = asyncio.Runner(loop_factory=_factory())
    try:
        return runner.run(main)
    finally:
        if not _deaf(runner.get_loop()):
            runner.close()


def _deaf(loop: asyncio.AbstractEventLoop) -> bool:
    """Cancel all tasks and tell whether one goes on all the same: closing would wait for it for ever."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if not tasks:
        return False
    _, pending = loop.run_until_complete(asyncio.wait(tasks, timeout=DEAF_SECONDS))
    global stuck  # noqa: PLW0603 - says how this process has to end
    stuck = bool(pending)
    return stuck


stuck = False
"""Whether a task was left behind: the process then ends without waiting for anyone."""


def _factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        uvloop: Any = importlib.import_module("uvloop")
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
