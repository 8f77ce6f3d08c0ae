"""One process of the service, to be killed, stopped and starved: `python -m tests.process.child ORDER`.

ORDER is JSON: `settings`, `parts` and `roots` of a Runtime, `life` in seconds, and perhaps `then`, what to do once
everything runs: {"cancel": job} or {"items": [job type, [[key, payload], …]]}. It prints `ready` when everything runs
and `stopped` when a SIGTERM was obeyed. `BATCHANATOR_TEST_STOP=name[:nth]=kill|stop|exit,…` names stop-points at which
it ends itself (SIGKILL, or exit code 13) or stops itself (SIGSTOP).
"""

import asyncio
import ctypes
import json
import os
import signal
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

from batchanator.app import loops
from batchanator.app.interrupts import Interrupts
from batchanator.app.runtime import Parts, Runtime
from batchanator.domain.submission import Entry, JobOptions
from batchanator.handlers.registry import Registry
from batchanator.logs import configure_logging
from batchanator.settings import Settings
from batchanator.store.operations import Operations
from batchanator.store.probes import set_probe

STOP = "BATCHANATOR_TEST_STOP"
_PR_SET_PDEATHSIG = 1


class StopPoints:
    def __init__(self, text: str) -> None:
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
                os.kill(os.getpid(), signal.SIGSTOP)
            case "exit":
                os._exit(13)
            case None:
                return
            case other:
                raise ValueError(f"{STOP}: unknown action {other!r}")


def end_with_the_test(life: float) -> None:
    """Die when the parent does, or when the life is over, whatever state this is in."""
    signal.setitimer(signal.ITIMER_REAL, life)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


async def do(runtime: Runtime, what: dict[str, Any]) -> None:
    if job := what.get("cancel"):
        await Operations(runtime.store, runtime.wakeups).cancel(job, actor="a test")
    if items := what.get("items"):
        entries = [Entry(key, payload.encode()) for key, payload in items[1]]
        await runtime.submitter.items(items[0], entries, name=None, options=JobOptions(), request=None)


async def run(order: dict[str, Any]) -> None:
    runtime = Runtime(
        Settings.model_validate(order["settings"]),
        Registry.load(["tests.process.handlers"], entry_points=False),
        tuple(Path(root) for root in order["roots"]),
        Parts(**order["parts"]),
    )
    with Interrupts() as interrupts:
        try:
            with interrupts.interruptible():
                await runtime.open(wait=timedelta(seconds=30))
                await runtime.start()
                print("ready", flush=True)  # noqa: T201 - what the test waits for
                await do(runtime, order.get("then", {}))
                await asyncio.Event().wait()
        finally:
            await runtime.stop()
    print("stopped", flush=True)  # noqa: T201 - as above


if __name__ == "__main__":
    _order = json.loads(sys.argv[1])
    end_with_the_test(_order["life"])
    configure_logging("json", "debug")
    set_probe(StopPoints(os.environ.get(STOP, "")))
    loops.run(run(_order))
