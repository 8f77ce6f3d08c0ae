"""Answers: JSON bodies, lists with their cursor, and streams that a slow reader cannot hold open for ever."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from aiohttp import web

SEND_SECONDS = 60.0
"""How long a reader may take for an answer, or for one page of a stream."""

SMALL_BYTES = 16 * 1024
"""Well below what a transport buffers before it makes the writer wait (64 KiB)."""

_OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME


def instant(at: datetime) -> str:
    """Write an instant as RFC 3339 in UTC, with microseconds."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def encode(value: Any) -> bytes:
    """Return JSON; instants with Z and microseconds, `orjson.Fragment` as it is."""
    return orjson.dumps(value, _other, _OPTIONS)


def _other(value: Any) -> str:
    if isinstance(value, datetime):
        return instant(value)
    raise TypeError(type(value).__name__)


def raw_json(text: str | None) -> orjson.Fragment | None:
    """Return stored JSON text to stand in an answer byte by byte; nothing and the empty text are null."""
    return orjson.Fragment(text) if text else None


def answer(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(
        status=status, body=encode(value), content_type="application/json", headers=headers or {}
    )


def answer_list(
    request: web.Request, data: Sequence[Any], *, after: int | str | None, parameter: str = "after"
) -> web.Response:
    """Answer one page; `after` is the cursor of the next, None where this is the last."""
    headers = {} if after is None else {"Link": next_link(request, parameter, after)}
    return answer({"data": data, "hasMore": after is not None, "next": after}, headers=headers)


def next_link(request: web.Request, parameter: str, value: int | str) -> str:
    """Return the Link header of the next page: this request's own address with another cursor."""
    target = request.rel_url.update_query({parameter: str(value)})
    return f'<{target.raw_path_qs}>; rel="next"'


async def send(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """Send a whole answer in bounded time; a reader that is too slow loses its connection."""
    if _is_small(response):  # the transport takes it at once, and waits for the reader by itself
        await response.prepare(request)
        await response.write_eof()
        return response
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await response.prepare(request)
            await response.write_eof()
    except TimeoutError:
        abort(request)
    return response


def _is_small(response: web.StreamResponse) -> bool:
    return (
        isinstance(response, web.Response)
        and isinstance(response.body, bytes)
        and len(response.body) <= SMALL_BYTES
    )


def abort(request: web.Request) -> None:
    """Cut the connection, so that nobody takes half an answer for a whole one."""
    if request.transport is not None:
        request.transport.abort()
