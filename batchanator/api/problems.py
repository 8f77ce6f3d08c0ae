"""Every way in which a request can fail, and the one table from errors to answers (RFC 9457 problem+json).

Texts of the store's errors never leave the process: they may hold a path, a host or SQL. docs/http.md lists the kinds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from batchanator.domain.errors import (
    BatchanatorError,
    ConflictError,
    LeaseLostError,
    NotFoundError,
    SchemaError,
    TransientError,
    UnavailableError,
    UnknownJobTypeError,
)

CONTENT_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:batchanator:problem:"


@dataclass(frozen=True, slots=True)
class Kind:
    """`retry_after`: after how many seconds the same request may fare better."""

    name: str
    status: int
    title: str
    retry_after: int | None = None


BAD_REQUEST = Kind("bad-request", 400, "The request is not valid HTTP")
NOT_JSON = Kind("not-json", 400, "The body is not JSON")
NO_ITEMS = Kind("no-items", 400, "There is nothing to do")
BAD_KEY = Kind("bad-idempotency-key", 400, "The Idempotency-Key is not usable")
UNAUTHORIZED = Kind("unauthorized", 401, "A key is needed")
FORBIDDEN = Kind("forbidden", 403, "The key does not allow that")
CROSS_SITE = Kind("cross-site", 403, "Pages of other sites may not change anything here")
NOT_FOUND = Kind("not-found", 404, "There is no such thing")
NOT_ALLOWED = Kind("method-not-allowed", 405, "The method does not fit the address")
TIMED_OUT = Kind("request-timeout", 408, "The request took too long to arrive")
CONFLICT = Kind("conflict", 409, "The state of the job does not allow that")
IN_PROGRESS = Kind("request-in-progress", 409, "The first request with this Idempotency-Key still runs", 1)
TOO_LARGE = Kind("too-large", 413, "The body is too large")
ENCODED = Kind("content-encoding", 415, "The body comes in an encoding that is not taken here")
MEDIA_TYPE = Kind("media-type", 415, "The body is of a kind that is not taken here")
MISDIRECTED = Kind("misdirected", 421, "The request was meant for another machine")
INVALID = Kind("invalid-request", 422, "The request does not say what is needed")
TOO_MANY = Kind("too-many-items", 422, "There are too many items in one request")
UNKNOWN_JOB_TYPE = Kind("unknown-job-type", 422, "There is no such job type")
SOURCE_FAILED = Kind("source-failed", 422, "The source is cut, damaged or no text of lines")
KEY_REUSED = Kind("idempotency-key-reused", 422, "The Idempotency-Key belongs to another request")
TOO_MANY_ATTEMPTS = Kind("too-many-attempts", 429, "Too many wrong keys were sent")
INTERNAL = Kind("internal-error", 500, "Something broke here")
OVERLOADED = Kind("overloaded", 503, "There is too much to do at once", 1)
UNAVAILABLE = Kind("unavailable", 503, "The database cannot be used now", 5)
NOT_READY = Kind("not-ready", 503, "Not ready for work", 5)

KINDS = (
    BAD_REQUEST,
    NOT_JSON,
    NO_ITEMS,
    BAD_KEY,
    UNAUTHORIZED,
    FORBIDDEN,
    CROSS_SITE,
    NOT_FOUND,
    NOT_ALLOWED,
    TIMED_OUT,
    CONFLICT,
    IN_PROGRESS,
    TOO_LARGE,
    ENCODED,
    MEDIA_TYPE,
    MISDIRECTED,
    INVALID,
    TOO_MANY,
    UNKNOWN_JOB_TYPE,
    SOURCE_FAILED,
    KEY_REUSED,
    TOO_MANY_ATTEMPTS,
    INTERNAL,
    OVERLOADED,
    UNAVAILABLE,
    NOT_READY,
)

# The first that fits counts. None: the error's own text, which is written for callers, is the detail.
_ERRORS: tuple[tuple[type[BatchanatorError], Kind, str | None], ...] = (
    (UnknownJobTypeError, UNKNOWN_JOB_TYPE, None),
    (NotFoundError, NOT_FOUND, None),
    (ConflictError, CONFLICT, None),
    (LeaseLostError, CONFLICT, "Another worker has it now."),
    (SchemaError, UNAVAILABLE, "The database's schema is not the one of this program."),
    (TransientError, UNAVAILABLE, "The database was too busy; nothing was changed."),
    (UnavailableError, UNAVAILABLE, "It cannot be reached or took too long. Send the request again."),
)


class ProblemError(BatchanatorError):
    """A request that fails, said by the API itself. `more` are members beside the standard ones."""

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        more: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.errors = errors
        self.more = more or {}
        self.headers = headers or {}


def invalid(pointer: str, detail: str, code: str = "invalid") -> ProblemError:
    """Return the problem of one wrong field (a JSON pointer) or parameter (its name)."""
    return ProblemError(INVALID, detail, errors=[{"pointer": pointer, "code": code, "detail": detail}])


def problem_of(error: BaseException) -> ProblemError | None:
    """Return the problem that an error stands for; None for what nobody expected."""
    if isinstance(error, ProblemError):
        return error
    for expected, kind, text in _ERRORS:
        if isinstance(error, expected):
            more = {"known": error.known} if isinstance(error, UnknownJobTypeError) else None
            return ProblemError(kind, str(error) if text is None else text, more=more)
    return None


def response_of(problem: ProblemError) -> web.Response:
    kind = problem.kind
    body: dict[str, Any] = {
        "type": TYPE_PREFIX + kind.name,
        "title": kind.title,
        "status": kind.status,
        "detail": problem.detail,
        **problem.more,
    }
    if problem.errors:
        body["errors"] = problem.errors
    response = web.Response(status=kind.status, body=orjson.dumps(body), content_type=CONTENT_TYPE)
    response.headers.update(problem.headers)
    if kind.retry_after is not None:
        response.headers["Retry-After"] = str(kind.retry_after)
    return response
