"""Several processes that do the same: started again where one ends, stopped together.

Those that serve share the sockets that they are given: a request that waits for one that has died is another's.
"""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext, SpawnProcess
from time import monotonic
from typing import TypeAlias

import structlog

from batchanator.app.interrupts import Interrupts
from batchanator.domain.backoff import Backoff
from batchanator.telemetry.sharing import forget_process, shared_metrics

Target: TypeAlias = Callable[[Connection], None]
"""What a process does, and where it says, by any message, that it has started well. It must pickle."""

STEADY_SECONDS = 60.0
"""A process that lived so long is started again without the waits of those before it."""

_BACKOFF = Backoff(timedelta(seconds=30))
_STOPPED = (0, -signal.SIGTERM)  # the second: before it could take notice, and so before it held anything
_log = structlog.get_logger("batchanator.app")


class _CannotStartError(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(slots=True)
class _Child:
    process: SpawnProcess
    started: Connection
    ended: "asyncio.Future[int]"
    began: float = field(default_factory=monotonic)

    @property
    def has_started(self) -> bool:
        try:
            return self.started.poll() and bool(self.started.recv_bytes())
        except EOFError:
            return False


class Supervisor:
    def __init__(
        self, target: Target, count: int, on_death: Callable[[int], None] = lambda _pid: None
    ) -> None:
        self._target = target
        self._count = count
        self._on_death = on_death
        self._context: SpawnContext = multiprocessing.get_context("spawn")
        self._children: dict[int, _Child] = {}
        self._one_started = False
        self.failed: int | None = None
        """The exit code of the first that could not start, where none could."""

    async def run(self) -> None:
        """Keep the processes running, until none can start."""
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(1, self._count + 1):
                    group.create_task(self._keep(number), name=f"process {number}")
        except* _CannotStartError as errors:
            self.failed = next(
                error.code for error in errors.exceptions if isinstance(error, _CannotStartError)
            )

    async def _keep(self, number: int) -> None:
        failures = 0
        while True:
            child = self._children[number] = self._start(number)
            code = await asyncio.shield(child.ended)
            self._one_started |= child.has_started
            if child.process.pid is not None:
                self._on_death(child.process.pid)
            if code > 0 and not self._one_started:
                raise _CannotStartError(code)
            failures = 0 if monotonic() - child.began > STEADY_SECONDS else failures + 1
            pause = _BACKOFF.delay(failures - 1, jitter=0)
            _log.error("process.died", number=number, pid=child.process.pid, code=code, again_in=str(pause))
            await asyncio.sleep(pause.total_seconds())

    def _start(self, number: int) -> _Child:
        started, say = self._context.Pipe(duplex=False)
        process = self._context.Process(target=self._target, args=(say,), name=f"batchanator-{number}")
        process.start()
        say.close()
        loop = asyncio.get_running_loop()
        child = _Child(process, started, loop.create_future())
        threading.Thread(target=_watch, args=(child, loop), name=f"watch {number}", daemon=True).start()
        _log.info("process.started", number=number, pid=process.pid)
        return child

    async def stop(self) -> int:
        """Pass the stop on and wait for every process; returns 0 where all ended cleanly, else 1."""
        for child in self._children.values():
            child.process.terminate()
        codes = [await child.ended for child in self._children.values()]
        return 0 if set(codes) <= set(_STOPPED) else 1


def _watch(child: _Child, loop: asyncio.AbstractEventLoop) -> None:
    """Wait in a thread: a pipe that ends with the process may be held open by what it has forked."""
    while (code := child.process.exitcode) is None:
        child.process.join()
    loop.call_soon_threadsafe(child.ended.set_result, code)


async def supervise(target: Target, count: int) -> int:
    """Run `count` processes until SIGTERM or SIGINT, then stop them; returns the exit code.

    A second signal ends this process at once, and then the others end at once too.
    """
    with shared_metrics() as folder, Interrupts() as interrupts:
        supervisor = Supervisor(target, count, partial(forget_process, folder))
        try:
            with interrupts.interruptible():
                await supervisor.run()
        finally:
            _log.info("supervisor.stopping", pid=os.getpid())
            code = await supervisor.stop()
    return code if supervisor.failed is None else supervisor.failed


def join_supervisor() -> None:
    """Be one of the processes: deaf to the terminal, whose signals the supervisor passes on, and ended with it."""
    os.setsid()
    threading.Thread(target=_end_with_parent, name="supervisor", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
