"""GET /openapi.json."""

from typing import Any

from aiohttp import web

from batchanator.api.access import address
from batchanator.api.answers import encode
from batchanator.api.openapi.document import document


class OpenApi:
    """The document of the routes that this process serves, made when it is first asked for."""

    def __init__(self) -> None:
        self._body: bytes | None = None

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/openapi.json", self.get)]

    async def get(self, request: web.Request) -> web.Response:
        if self._body is None:
            self._body = encode(_document(request.app))
        return web.Response(body=self._body, content_type="application/json")


def _document(app: web.Application) -> dict[str, Any]:
    return document(dict.fromkeys(address(route) for route in app.router.routes()))
