"""Whether this process lives (/healthz), and whether it can work (/readyz). Both are answered at any load."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from batchanator.api.answers import answer
from batchanator.api.problems import NOT_READY, ProblemError
from batchanator.api.service import Gate, Readiness

PATHS = frozenset({"/healthz", "/readyz"})
READY_SECONDS = 2.0


class Health:
    def __init__(self, gate: Gate, readiness: Callable[[], Awaitable[Readiness]]) -> None:
        self._gate = gate
        self._readiness = readiness

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/healthz", self.alive), web.get("/readyz", self.ready)]

    async def alive(self, _request: web.Request) -> web.Response:
        return answer({"status": "ok"})

    async def ready(self, _request: web.Request) -> web.Response:
        if self._gate.closed is not None:
            raise ProblemError(NOT_READY, self._gate.closed, more={"checks": {"service": self._gate.closed}})
        try:
            async with asyncio.timeout(READY_SECONDS):
                state = await self._readiness()
        except TimeoutError:
            late = f"no answer within {READY_SECONDS:g} s"
            state = Readiness({"database": late}, frozenset({"database"}))
        if state.failing:
            why = "; ".join(f"{name}: {state.checks[name]}" for name in sorted(state.failing))
            raise ProblemError(NOT_READY, why, more={"checks": dict(state.checks)})
        return answer({"status": "ready", "checks": dict(state.checks)})
