"""The HTTP server: aiohttp's, with bounds on connections and time, and problems also for what is no HTTP at all."""

from collections import Counter
from http import HTTPStatus
from typing import Any

import structlog
from aiohttp import web
from aiohttp.http_parser import HttpRequestParser
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_server import Server

from batchanator.api.application import HEADERS
from batchanator.api.guard import unexpected
from batchanator.api.problems import BAD_REQUEST, ProblemError, response_of

KEEPALIVE_SECONDS = 30.0
"""How long an idle connection stays, and how long the headers of a request may take."""

LINGER_SECONDS = 5.0
MAX_CONNECTIONS = 1000
MAX_OF_ADDRESS = 500
"""Connections of one address: nobody alone takes the room of all. A proxy is one address."""

_log = structlog.get_logger("batchanator.api")


class _Connection(RequestHandler):
    """One client. Requests that cannot be parsed are answered without a word about the parser or its version."""

    counted: str | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        server = self._manager
        if not isinstance(server, _Server):
            return
        peer = transport.get_extra_info("peername")
        self.counted = str(peer[0]) if peer else ""
        server.of_address[self.counted] += 1
        if len(server.connections) > MAX_CONNECTIONS or server.of_address[self.counted] > MAX_OF_ADDRESS:
            self.force_close()

    def connection_lost(self, exc: BaseException | None) -> None:
        server = self._manager
        super().connection_lost(exc)
        if isinstance(server, _Server) and self.counted is not None:
            server.forget(self.counted)
            self.counted = None

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        del message
        if isinstance(exc, ConnectionError) or request.writer.output_size > 0:
            raise ConnectionError("the client is gone, or has half an answer") from exc
        problem = ProblemError(BAD_REQUEST, "Not a request as HTTP/1.1 has it.")
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            problem = unexpected(f"{request.method} ?", exc)
        response = response_of(problem)
        response.headers.update(HEADERS)
        response.force_close()
        return response


class _Server(Server):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.of_address: Counter[str] = Counter()

    def forget(self, address: str) -> None:
        self.of_address[address] -= 1
        if not self.of_address[address]:
            del self.of_address[address]

    def __call__(self) -> RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """Runs the application: `setup`, sites, `cleanup`, which waits `shutdown_timeout` for running requests."""

    def __init__(self, app: web.Application, *, shutdown_timeout: float = 5.0) -> None:
        super().__init__(
            app,
            handle_signals=False,
            access_log=None,
            keepalive_timeout=KEEPALIVE_SECONDS,
            lingering_time=LINGER_SECONDS,
            auto_decompress=False,
            shutdown_timeout=shutdown_timeout,
        )

    async def _make_server(self) -> Server:
        if not HttpRequestParser.__module__.endswith("_http_parser"):
            _log.warning("server.parser_in_python", detail="slower, and laxer with malformed requests")
        made = await super()._make_server()
        return _Server(
            made.request_handler,
            request_factory=made.request_factory,
            handler_cancellation=made.handler_cancellation,
            loop=made._loop,  # noqa: SLF001 - there is no public way to a protocol of one's own
            **made._kwargs,  # noqa: SLF001 - see above
        )
