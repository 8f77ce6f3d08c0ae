"""The routes of one process, put together."""

from collections.abc import Sequence
from typing import Protocol

from aiohttp import web

from batchanator.api.access import check_routes
from batchanator.api.actions import Actions
from batchanator.api.admission import Admission
from batchanator.api.bodies import Bodies
from batchanator.api.cron import Cron
from batchanator.api.dead_letters import DeadLetters
from batchanator.api.guard import BEGUN, Guard
from batchanator.api.handlers import Handlers
from batchanator.api.health import Health
from batchanator.api.items import Items
from batchanator.api.jobs import Jobs
from batchanator.api.lines import Lines
from batchanator.api.metrics import Metrics
from batchanator.api.one_item import OneItem
from batchanator.api.openapi.serving import OpenApi
from batchanator.api.processing import Processing
from batchanator.api.results import Results
from batchanator.api.service import Service
from batchanator.api.triggers import Triggers
from batchanator.api.uploads import UNREAD, Uploads
from batchanator.api.workers import Workers

HEADERS = {
    "Server": "batchanator",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


class Part(Protocol):
    def routes(self) -> Sequence[web.RouteDef]: ...


def build(service: Service) -> web.Application:
    """Return the application; serve it by `batchanator.api.server`, which bounds what aiohttp leaves open."""
    bodies = Bodies(service.limits.bodies)
    parts: list[Part] = [Health(service.gate, service.readiness), OpenApi()]
    if service.metrics is not None:
        parts.append(Metrics(service.metrics))
    if service.triggers:
        parts += [Triggers(service, bodies), Uploads(service)]
    if service.status:
        parts += [
            Jobs(service, bodies),
            Items(service),
            OneItem(service),
            Lines(service),
            Results(service),
            DeadLetters(service),
            Handlers(service, bodies),
            Workers(service),
            Actions(service),
            Cron(service),
            Processing(service, bodies),
        ]
    guard = Guard(
        service.gate,
        Admission(service.keys, service.reads.jobs),
        service.limits.max_running,
        own_machine_only=service.own_machine_only,
        observer=service.observer,
    )
    app = web.Application(middlewares=[guard.middleware()])
    for part in parts:
        app.add_routes(part.routes())
    check_routes(app)
    app.on_response_prepare.append(_harden)
    return app


async def _harden(request: web.Request, response: web.StreamResponse) -> None:
    request[BEGUN] = True
    if request.get(UNREAD):
        response.headers["Connection"] = "close"
        response.force_close()
    response.headers.update(HEADERS)
