"""Child processes for handlers that compute: one call at a time each, started when first needed.

The pool of the standard library fails all its calls when one child dies, and cannot end a call; pebble can, under the
LGPL. Here a child is one process, one pipe and one thread that waits for it, and its death is that call's alone.
"""

import asyncio
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from time import monotonic

from batchanator.dispatch.executors.child import serve

_CONTEXT = multiprocessing.get_context("spawn")  # a fork would copy locks that other threads hold


class ChildDiedError(Exception):
    """The process ended before it answered."""

    def __init__(self, exit_code: int | None) -> None:
        how = f"signal {-exit_code}" if exit_code is not None and exit_code < 0 else f"exit code {exit_code}"
        super().__init__(f"its process ended with {how}")


class Child:
    """`ready` is set once its handlers are imported and started."""

    def __init__(self, sources: Sequence[str], set_up: Callable[[], None]) -> None:
        self.ready: Future[bytes] = Future()
        self.ended: Future[None] = Future()
        self.killed_at = 0.0
        self._requests: SimpleQueue[tuple[bytes, Future[bytes]] | None] = SimpleQueue()
        self._ours, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(
            target=serve, args=(theirs, tuple(sources), set_up), name="batchanator-handler", daemon=True
        )
        self._theirs = theirs
        self._thread = Thread(target=self._serve, name="child", daemon=True)
        self._thread.start()

    def ask(self, request: bytes) -> "asyncio.Future[bytes]":
        """Return what becomes of a call: the answer, or ChildDiedError."""
        answer: Future[bytes] = Future()
        answer.set_running_or_notify_cancel()
        self._requests.put((request, answer))
        return asyncio.wrap_future(answer)

    def close(self) -> None:
        """Let it end by itself: its handlers are stopped."""
        self._requests.put(None)

    def kill(self) -> None:
        """End it whatever it does; who waits for it gets ChildDiedError."""
        self.killed_at = self.killed_at or monotonic()
        if self._process.pid is not None:
            self._process.kill()
        self._requests.put(None)

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def _serve(self) -> None:
        waiting = self.ready
        self.ended.set_running_or_notify_cancel()
        waiting.set_running_or_notify_cancel()  # from now on nobody can cancel it but by leaving
        try:
            self._process.start()
            self._theirs.close()
            if self.killed_at:
                self._process.kill()
            waiting.set_result(self._ours.recv_bytes())
            while True:
                asked = self._requests.get()
                if asked is None:
                    break
                request, waiting = asked
                self._ours.send_bytes(request)
                waiting.set_result(self._ours.recv_bytes())
        except (EOFError, OSError):
            self._process.join()
            waiting.set_exception(ChildDiedError(self._process.exitcode))
        finally:
            self._ours.close()
            if self._process.pid is not None:
                self._process.join()
            self.ended.set_result(None)
