"""The HTTP server: aiohttp's, with bounds on connections and time, and problems also for what is no HTTP at all."""

from http import HTTPStatus
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_server import Server

from batchanator.api.application import HEADERS
from batchanator.api.guard import unexpected
from batchanator.api.problems import BAD_REQUEST, ProblemError, response_of

KEEPALIVE_SECONDS = 30.0
"""How long an idle connection stays, and how long the headers of a request may take."""

LINGER_SECONDS = 5.0
MAX_CONNECTIONS = 1000


class _Connection(RequestHandler):
    """One client. Requests that cannot be parsed are answered without a word about the parser or its version."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if self._manager is not None and len(self._manager.connections) > MAX_CONNECTIONS:
            self.force_close()

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
        made = await super()._make_server()
        return _Server(
            made.request_handler,
            request_factory=made.request_factory,
            handler_cancellation=made.handler_cancellation,
            loop=made._loop,  # noqa: SLF001 - there is no public way to a protocol of one's own
            **made._kwargs,  # noqa: SLF001 - see above
        )
