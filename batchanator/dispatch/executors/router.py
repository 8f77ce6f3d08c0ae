"""Each handler where it belongs: in this process, in its children, or at another address."""

from collections.abc import Mapping
from datetime import timedelta

from batchanator.dispatch.executor import Executor, Lost, Report, SliceWork
from batchanator.handlers.registered import Place, RegisteredHandler


class Router:
    def __init__(self, executors: Mapping[Place, Executor]) -> None:
        self._executors = executors

    def start(self) -> None:
        for executor in self._executors.values():
            executor.start()

    def capacity(self) -> int:
        return sum(executor.capacity() for executor in self._executors.values())

    @property
    def stuck(self) -> Mapping[str, int]:
        found: dict[str, int] = {}
        for executor in self._executors.values():
            for kind, count in executor.stuck.items():
                found[kind] = found.get(kind, 0) + count
        return found

    def accepts(self, handler: RegisteredHandler) -> bool:
        return self._executors[handler.place].accepts(handler)

    async def run(self, work: SliceWork, report: Report) -> Lost | None:
        return await self._executors[work.handler.place].run(work, report)

    def withdraw(self, report: Report) -> None:
        for executor in self._executors.values():
            executor.withdraw(report)

    async def close(self, grace: timedelta) -> None:
        for executor in self._executors.values():
            await executor.close(grace)
