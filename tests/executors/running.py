"""One way to run items on every executor, and a report that says what became of them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from batchanator.app.parts import API
from batchanator.app.serving import Serving
from batchanator.dispatch.executor import Executor, Lost, SliceWork
from batchanator.dispatch.executors.http import HttpExecutor, remote_handler
from batchanator.dispatch.executors.processes import ProcessExecutor
from batchanator.dispatch.executors.target import Target
from batchanator.dispatch.runners import LocalExecutor
from batchanator.domain.outcomes import Outcome
from batchanator.handlers.registered import RegisteredHandler
from batchanator.handlers.registry import Registry
from batchanator.settings import load_settings
from tests.executors import handlers

KINDS = ("async", "threads", "processes", "http item", "http slice")
DEADLINE = 30.0


def nothing() -> None:
    """Set nothing up in a child."""


class Noted:
    def __init__(self) -> None:
        self.begun: set[int] = set()
        self.outcomes: dict[int, Outcome] = {}
        self.has_begun = asyncio.Event()

    def started(self, seq: int) -> None:
        self.all_started([seq])

    def all_started(self, seqs: Sequence[int]) -> None:
        self.begun.update(seqs)
        self.has_begun.set()

    def never_started(self, seqs: Sequence[int]) -> None:
        self.begun.difference_update(seqs)

    def done(self, seq: int, outcome: Outcome) -> None:
        assert seq not in self.outcomes, f"{seq} was reported twice"
        self.outcomes[seq] = outcome

    def all_done(self, seqs: Sequence[int], outcomes: Sequence[Outcome]) -> None:
        for seq, outcome in zip(seqs, outcomes, strict=True):
            self.done(seq, outcome)


class Bench:
    """An executor with its handler. The nth item has the seq 10 n."""

    target: Target

    def __init__(
        self, executor: Executor, handler: RegisteredHandler, slices: RegisteredHandler, *, raw: bool
    ) -> None:
        self.executor = executor
        self._handler = handler
        self._slices = slices
        self._raw = raw

    def work(self, does: Sequence[str], *, seconds: float = DEADLINE, whole: bool = False) -> SliceWork:
        count = len(does)
        seqs = [10 * number for number in range(1, count + 1)]
        payloads: list[Any] = [{"does": one} for one in does]
        payloads = [
            msgspec.Raw(msgspec.json.encode(one)) if self._raw else handlers.Ask.model_validate(one)
            for one in payloads
        ]
        keys = [f"key-{seq}" for seq in seqs]
        handler = self._slices if whole else self._handler
        return SliceWork(handler, 1, seqs[0], seqs[-1], 7, seconds, seqs, keys, [1] * count, payloads)

    async def run(
        self, *does: str, seconds: float = DEADLINE, whole: bool = False
    ) -> tuple[Noted, Lost | None]:
        noted = Noted()
        async with asyncio.timeout(DEADLINE):
            lost = await self.executor.run(self.work(does, seconds=seconds, whole=whole), noted)
        return noted, lost


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE):
        while True:
            if holds():
                return
            await asyncio.sleep(0.01)


def registry() -> Registry:
    found = Registry()
    found.add_module(handlers)
    return found


@asynccontextmanager
async def api(folder: Path) -> AsyncIterator[tuple[Serving, str]]:
    settings = load_settings(
        cwd=folder,
        environ={"BATCHANATOR_MAX_CONCURRENCY_PER_WORKER": "4"},
        overrides={"database_url": f"sqlite:///{folder / 'api.db'}", "port": 0},
    )
    serving = Serving(settings, registry(), [], API)
    (address,) = await serving.listen()
    await serving.open()
    try:
        yield serving, str(address)
    finally:
        await serving.stop()


@asynccontextmanager
async def bench(kind: str, folder: Path) -> AsyncIterator[Bench]:
    if kind.startswith("http"):
        async with api(folder) as (_, url), over_http(url, whole=kind == "http slice") as found:
            yield found
        return
    known = registry()
    executor: Executor = LocalExecutor(4)
    if kind == "processes":
        sources = [one.source for one in known if one.place == "child"]
        executor = ProcessExecutor(2, sources, nothing)
    executor.start()
    try:
        yield Bench(executor, known.get(kind), known.get(f"{kind}-slices"), raw=False)
    finally:
        await executor.close(timedelta(0))


@asynccontextmanager
async def over_http(
    url: str, *, whole: bool, job_type: str = "async", slices: str = "async-slices", **options: Any
) -> AsyncIterator[Bench]:
    given = {"connections": 4, "key": None, "max_answer_bytes": 16 << 20, "jitter": lambda: 0.0, **options}
    target = Target(url, **given)
    executor = HttpExecutor(target, 4)
    executor.start()
    here = Bench(
        executor,
        remote_handler(target, job_type, whole_slice=whole),
        remote_handler(target, slices, whole_slice=True),
        raw=True,
    )
    here.target = target
    try:
        yield here
    finally:
        await executor.close(timedelta(0))
