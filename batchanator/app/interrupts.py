"""SIGINT and SIGTERM for work that is to end cleanly: the first one cancels it, the second one ends the process."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Use it as a context, and `interruptible` around what the first signal cancels; the rest runs to its end."""

    def __init__(self) -> None:
        self.received: int | None = None
        self._task: asyncio.Task[object] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._before: dict[int, object] = {}

    @property
    def exit_code(self) -> int | None:
        return None if self.received is None else 128 + self.received

    def __enter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        for number in SIGNALS:
            try:
                self._loop.add_signal_handler(number, self._receive, number)
            except (NotImplementedError, RuntimeError):  # Windows; not the main thread
                try:
                    self._before[number] = signal.signal(number, self._from_outside)
                except ValueError:
                    return self
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        for number in SIGNALS:
            if number in self._before:
                signal.signal(number, self._before[number])  # type: ignore[arg-type]
            else:
                self._loop.remove_signal_handler(number)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Let the first signal cancel the block, and leave it quietly then: `received` says so."""
        self._task = asyncio.current_task()
        assert self._task is not None
        if self.received is not None:
            self._task.cancel()
        try:
            yield
        except asyncio.CancelledError:
            if self.received is None:
                raise
            self._task.uncancel()
        finally:
            self._task = None

    def _from_outside(self, number: int, _frame: FrameType | None) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._receive, number)

    def _receive(self, number: int) -> None:
        if self.received is not None:
            os._exit(128 + number)
        self.received = number
        if self._task is not None:
            self._task.cancel()
