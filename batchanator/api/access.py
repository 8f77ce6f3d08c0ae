"""Which role each route needs. A route that is not in this table does not start."""

from functools import lru_cache
from typing import Final, Literal

from aiohttp import web

from batchanator.domain.access import Role

Needed = Role | Literal["nothing"]

ROLES: Final[dict[str, Needed]] = {
    "POST /jobs/{jobType}/trigger/file": "submit",
    "POST /jobs/{jobType}/trigger/database": "submit",
    "POST /jobs/{jobType}/trigger/items": "submit",
    "POST /jobs/{jobType}/trigger/upload": "submit",
    "GET /jobs": "read",
    "GET /jobs/{id}": "read",
    "PATCH /jobs/{id}": "operate",
    "POST /jobs/{id}/cancel": "operate",
    "POST /jobs/{id}/pause": "operate",
    "POST /jobs/{id}/resume": "operate",
    "GET /jobs/{id}/batches": "read",
    "GET /batches/{id}/items": "read",
    "GET /jobs/{id}/items": "read",
    "GET /jobs/{id}/items/{seq}": "read",
    "GET /items": "read",
    "GET /jobs/{id}/results": "read",
    "GET /jobs/{id}/rejects": "read",
    "GET /jobs/{id}/duplicates": "read",
    "GET /jobs/{id}/lapses": "read",
    "GET /jobs/{id}/errors": "read",
    "GET /jobs/{id}/dead-letter": "read",
    "POST /jobs/{id}/dead-letter/replay": "operate",
    "DELETE /jobs/{id}/dead-letter": "operate",
    "GET /handlers": "read",
    "GET /cron": "read",
    "PATCH /handlers/{jobType}": "operate",
    "GET /workers": "read",
    "POST /workers/{id}/release": "operate",
    "GET /actions": "read",
    "POST /process": "process",
    "POST /process/batch": "process",
    "GET /metrics": "read",
    "GET /openapi.json": "read",
    "GET /healthz": "nothing",
    "GET /readyz": "nothing",
}

NARROWED: Final = frozenset(
    {"GET /jobs", "GET /items", "GET /handlers", "GET /openapi.json", "POST /process", "POST /process/batch"}
)
"""Routes of no one job or type that keep a caller to its job types themselves.

Where a route has `{jobType}`, `/jobs/{id}` or `/batches/{id}` in its address, the guard does. Every other one is
refused to a caller that is limited to job types.
"""


@lru_cache(256)
def address(route: web.AbstractRoute) -> str:
    """Return `GET /jobs/{id}`, for HEAD too; a route that no resource has is `GET ?`."""
    method = "GET" if route.method == "HEAD" else route.method
    return f"{method} {'?' if route.resource is None else route.resource.canonical}"


def is_open(request: web.Request) -> bool:
    """Tell whether the request's route needs no key; where there is no route, it is not open."""
    return ROLES.get(address(request.match_info.route)) == "nothing"


def check_routes(app: web.Application) -> None:
    """Raise RuntimeError where a route has no role: what nobody thought about is open to nobody."""
    for route in app.router.routes():
        if address(route) not in ROLES:
            raise RuntimeError(f"{address(route)} has no role: give it one in {__name__}.ROLES")
