"""Bodies of requests: read in bounded time and memory, and parsed by one function that never ends in a 5xx."""

import asyncio
import re
from typing import TypeVar

import msgspec
import orjson
from aiohttp import web

from batchanator.api.problems import (
    ENCODED,
    NOT_JSON,
    OVERLOADED,
    TIMED_OUT,
    TOO_LARGE,
    ProblemError,
    invalid,
)

T = TypeVar("T")
SMALL = 64 << 10
"""Bytes of a request that holds no items."""

SILENCE_SECONDS = 15.0
WHOLE_SECONDS = 120.0
_PLACE = re.compile(r" - at `(?:key in )?\$(.*)`$")
_UNKNOWN = re.compile(r"^Object contains unknown field (.*)$", re.DOTALL)
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]")


class Bodies:
    """Reads bodies, all of those being handled within `total` bytes: more are asked to come again."""

    def __init__(self, total: int) -> None:
        self._left = total

    def read(self, request: web.Request, limit: int) -> "_Body":
        """Return a context that gives the body; its room counts as taken until the block ends.

        Raises (on entering):
            ProblemError: too large, too slow, encoded, or no room now.
        """
        return _Body(self, request, limit)

    def take(self, room: int) -> None:
        if room > self._left:
            raise ProblemError(OVERLOADED, "Too many large requests are being handled; send it again.")
        self._left -= room

    def give_back(self, room: int) -> None:
        self._left += room


class _Body:
    """A class: a generator's context costs four times as much, and /process pays it for each item."""

    __slots__ = ("_bodies", "_limit", "_request", "_room")

    def __init__(self, bodies: Bodies, request: web.Request, limit: int) -> None:
        self._bodies = bodies
        self._request = request
        self._limit = limit
        self._room = 0

    async def __aenter__(self) -> bytes:
        request, limit = self._request, self._limit
        _check_headers(request)
        length = request.content_length
        if length is not None and length > limit:
            raise _too_large(limit)
        if not request.can_read_body:
            return b""
        room = limit if length is None else length
        self._bodies.take(room)
        self._room = room
        try:
            return await _collect(request, limit)
        except BaseException:
            self._bodies.give_back(room)
            raise

    async def __aexit__(self, *_: object) -> None:
        self._bodies.give_back(self._room)


async def _collect(request: web.Request, limit: int) -> bytes:
    if request.content.is_eof() and request.content.exception() is None:  # all of it came with the headers
        body = request.content.read_nowait()
        if len(body) > limit:
            raise _too_large(limit)
        return body
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(WHOLE_SECONDS):
            while True:
                async with asyncio.timeout(SILENCE_SECONDS):
                    chunk = await request.content.readany()
                if not chunk:
                    return b"".join(chunks)
                size += len(chunk)
                if size > limit:
                    raise _too_large(limit)
                chunks.append(chunk)
    except TimeoutError:
        detail = f"No body within {WHOLE_SECONDS:.0f} s, or nothing of it for {SILENCE_SECONDS:.0f} s."
        raise ProblemError(TIMED_OUT, detail) from None
    except web.RequestPayloadError:
        raise ProblemError(NOT_JSON, "The body broke off.") from None


def _too_large(limit: int) -> ProblemError:
    return ProblemError(TOO_LARGE, f"At most {limit} bytes are taken here.")


def _check_headers(request: web.Request) -> None:
    headers = request.headers
    if headers.get("Content-Encoding", "identity").lower() != "identity":
        raise ProblemError(ENCODED, "Send the body as it is, without a Content-Encoding.")
    if headers.get("Content-Type") == "application/json":
        return
    try:
        charset = request.charset
    except (ValueError, LookupError):
        charset = "?"
    if charset is not None and charset.lower() not in {"utf-8", "utf8", "us-ascii"}:
        raise ProblemError(NOT_JSON, "JSON is UTF-8; another charset is not taken.")


def parse(body: bytes, shape: type[T]) -> T:
    """Return the body as `shape` (a msgspec Struct).

    Raises:
        ProblemError: 400 for what is not JSON, 422 naming the field for JSON of another shape.
    """
    check_text(body)
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        if not _is_json(body):
            raise not_json() from None
        raise _misfit(str(error)) from None
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise not_json() from None


def check_text(body: bytes) -> None:
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise ProblemError(NOT_JSON, f"Not UTF-8 at byte {error.start + 1}.") from None


def not_json(detail: str = "Send one JSON object.") -> ProblemError:
    return ProblemError(NOT_JSON, detail)


def _is_json(body: bytes) -> bool:
    try:
        orjson.loads(body)
    except ValueError:
        return False
    return True


def _misfit(text: str) -> ProblemError:
    """Return the problem for what msgspec says: `Expected `str`, got `int` - at `$.items[0].key``."""
    place = _PLACE.search(text)
    path = place[1] if place else ""
    reason = (text[: place.start()] if place else text).replace("`", "")
    steps = [name or index for name, index in _STEP.findall(path)]
    unknown = _UNKNOWN.match(reason)
    if unknown:
        steps.append(unknown[1][:80])
        reason = f"there is no field {unknown[1][:80]!r} here"
    pointer = "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
    where = f"{'.'.join(steps)}: " if steps and not unknown else ""
    return invalid(pointer, f"{where}{reason[:300]}", "unknown" if unknown else "invalid")
