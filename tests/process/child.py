"""One process of the service, to be killed, stopped and starved.

It is forked from a server that has everything imported already, since half a second of imports four hundred times is
long. It prints `ready` when everything runs and `stopped` when a SIGTERM was obeyed.
`BATCHANATOR_TEST_STOP=name[:nth]=kill|stop|exit,…` names stop-points at which it ends itself (SIGKILL, or exit code
13) or stops itself (SIGSTOP).
"""

import asyncio
import ctypes
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from batchanator.app import loops
from batchanator.app.interrupts import Interrupts
from batchanator.app.parts import Parts
from batchanator.app.runtime import Runtime
from batchanator.cli.leaving import leave
from batchanator.domain.submission import Entry, JobOptions
from batchanator.handlers.registry import Registry
from batchanator.logs import configure_logging
from batchanator.settings import Settings
from batchanator.store.operations import Operations
from batchanator.store.probes import set_probe
from tests.process.polling import pass_time

STOP = "BATCHANATOR_TEST_STOP"
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Order:
    settings: Mapping[str, Any]
    roots: tuple[Path, ...]
    parts: Parts
    life: float
    """In seconds."""
    then: Mapping[str, Any]
    """What to do once everything runs: {"cancel": job} or {"items": [job type, [[key, payload], …]]}."""


class StopPoints:
    def __init__(self, text: str, go_on: Path) -> None:
        self._go_on = go_on
        self._wanted: dict[tuple[str, int], str] = {}
        self._seen: Counter[str] = Counter()
        for one in filter(None, text.split(",")):
            where, _, action = one.partition("=")
            name, _, nth = where.partition(":")
            self._wanted[name, int(nth or 1)] = action

    async def __call__(self, name: str) -> None:
        self._seen[name] += 1
        match self._wanted.get((name, self._seen[name])):
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "stop":
                self._stay_stopped()
            case "exit":
                os._exit(13)
            case None:
                return
            case other:
                raise ValueError(f"{STOP}: unknown action {other!r}")

    def _stay_stopped(self) -> None:
        """Stop until the file is there: the test may let other threads end what they hold a lock for."""
        while not self._go_on.exists():
            os.kill(os.getpid(), signal.SIGSTOP)
            pass_time(0.005)


def end_with_the_test(life: float) -> None:
    """Die when the parent does, or when the life is over, whatever state this is in."""
    signal.setitimer(signal.ITIMER_REAL, life)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


async def do(runtime: Runtime, what: Mapping[str, Any]) -> None:
    if job := what.get("cancel"):
        await Operations(runtime.store, runtime.wakeups).cancel(job, actor="a test")
    if items := what.get("items"):
        entries = [Entry(key, payload.encode()) for key, payload in items[1]]
        await runtime.submitter.items(items[0], entries, name=None, options=JobOptions(), request=None)


async def run(order: Order) -> None:
    runtime = Runtime(
        Settings.model_validate(order.settings),
        Registry.load(["tests.process.handlers"], entry_points=False),
        order.roots,
        order.parts,
    )
    with Interrupts() as interrupts:
        try:
            with interrupts.interruptible():
                await runtime.open(wait=timedelta(seconds=30))
                await runtime.start()
                print("ready", flush=True)  # noqa: T201 - what the test waits for
                await do(runtime, order.then)
                await asyncio.Event().wait()
        finally:
            await runtime.stop()
    print("stopped", flush=True)  # noqa: T201 - as above


def enter(order: Order, environment: Mapping[str, str], log: Path) -> None:
    """Be the process: with an output, a log, an environment and a life of its own."""
    end_with_the_test(order.life)
    for stream, path in ((sys.stdout, log.with_suffix(".out")), (sys.stderr, log)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        os.dup2(file, stream.fileno())
        os.close(file)
    os.environ.update(environment)
    random.seed()  # else every fork of the server would draw the same
    configure_logging("json", "debug")
    set_probe(StopPoints(os.environ.get(STOP, ""), log.with_suffix(".go")))
    loops.run(run(order))
    leave(0)
