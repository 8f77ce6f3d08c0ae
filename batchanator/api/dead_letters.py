"""Replay and purge of dead letters; the list of them is one of items."""

from aiohttp import web

from batchanator.api.admission import caller_of
from batchanator.api.answers import answer
from batchanator.api.parameters import job_id
from batchanator.api.service import Service


class DeadLetters:
    def __init__(self, service: Service) -> None:
        self._operations = service.operations

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/jobs/{id}/dead-letter/replay", self.replay),
            web.delete("/jobs/{id}/dead-letter", self.purge),
        ]

    async def replay(self, request: web.Request) -> web.Response:
        done = await self._operations.replay(job_id(request), actor=caller_of(request).actor)
        left_out = {"replaced": done.replaced, "purged": done.purged}
        return answer({"replayedCount": done.replayed, "leftOut": left_out})

    async def purge(self, request: web.Request) -> web.Response:
        return answer(
            {"purgedCount": await self._operations.purge(job_id(request), actor=caller_of(request).actor)}
        )
