"""Idempotency-Key: the same key with the same request is the same job; with another request it is refused."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from batchanator.api.admission import caller_of
from batchanator.api.problems import BAD_KEY, IN_PROGRESS, KEY_REUSED, ProblemError
from batchanator.domain.errors import ConflictError
from batchanator.domain.submission import Request

HEADER = "Idempotency-Key"
LONGEST = 255
_REUSED = "This Idempotency-Key was used with another request; take a new one for each."


class RequestKeys:
    """The keys of requests that run now; those of jobs are in the database, and decide."""

    def __init__(self) -> None:
        self._running: dict[str, str] = {}

    @contextmanager
    def claim(self, request: web.Request, body: bytes) -> Iterator[Request | None]:
        """Hold the request's key while it is handled; yield None where it has none.

        Raises:
            ProblemError: the key is not usable, belongs to another request, or its first request still runs.
        """
        key = _key_of(request)
        if key is None:
            yield None
            return
        fingerprint = _fingerprint(request, body)
        running = self._running.get(key)
        if running is not None:
            kind, detail = IN_PROGRESS, "Its answer will be the same; ask again in a moment."
            if running != fingerprint:
                kind, detail = KEY_REUSED, _REUSED
            raise ProblemError(kind, detail)
        self._running[key] = fingerprint
        try:
            yield Request(key, fingerprint)
        except ConflictError:  # the one conflict that a new job can meet
            raise ProblemError(KEY_REUSED, _REUSED) from None
        finally:
            del self._running[key]


def head_request(request: web.Request) -> Request | None:
    """Return the key of a request whose body is not read yet, with a fingerprint of all the rest."""
    key = _key_of(request)
    return None if key is None else Request(key, _fingerprint(request, request.query_string.encode()))


def _key_of(request: web.Request) -> str | None:
    """Return the key, each caller's its own: no other can squat or probe it. Neither part has a line end."""
    keys = request.headers.getall(HEADER, [])
    if not keys:
        return None
    if len(keys) > 1:
        raise ProblemError(BAD_KEY, "Send one Idempotency-Key.")
    key = keys[0]
    if not 0 < len(key) <= LONGEST or not key.isprintable():
        raise ProblemError(BAD_KEY, f"An Idempotency-Key is 1 to {LONGEST} printable characters.")
    name = caller_of(request).name
    return key if name is None else f"{name}\n{key}"


def _fingerprint(request: web.Request, body: bytes) -> str:
    digest = hashlib.sha256(f"{request.method} {request.rel_url.raw_path}\n".encode())
    digest.update(body)
    return digest.hexdigest()
