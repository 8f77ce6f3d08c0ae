"""Whether this process lives (/healthz), and whether it can work (/readyz). Both are answered at any load."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from batchanator.api.admission import caller_of
from batchanator.api.answers import answer
from batchanator.api.problems import NOT_READY, ProblemError
from batchanator.api.service import Gate, Readiness

READY_SECONDS = 2.0


class Health:
    def __init__(self, gate: Gate, readiness: Callable[[], Awaitable[Readiness]]) -> None:
        self._gate = gate
        self._readiness = readiness

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/healthz", self.alive), web.get("/readyz", self.ready)]

    async def alive(self, _request: web.Request) -> web.Response:
        return answer({"status": "ok"})

    async def ready(self, request: web.Request) -> web.Response:
        """Say whether, and of what this process is made to those alone who may read."""
        state = await self._state()
        tells = "read" in caller_of(request).roles
        checks = {"checks": dict(state.checks)} if tells else {}
        if state.failing:
            reasons = (f"{name}: {state.checks[name]}" for name in sorted(state.failing))
            why = self._gate.closed or "; ".join(reasons)
            raise ProblemError(NOT_READY, why if tells else "A key that may read is told why.", more=checks)
        return answer({"status": "ready", **checks})

    async def _state(self) -> Readiness:
        if self._gate.closed is not None:
            return Readiness({"service": self._gate.closed}, frozenset({"service"}))
        try:
            async with asyncio.timeout(READY_SECONDS):
                return await self._readiness()
        except TimeoutError:
            late = f"no answer within {READY_SECONDS:g} s"
            return Readiness({"database": late}, frozenset({"database"}))
