"""Around every request: who it is, room, the gate, problems for errors, and an answer that is sent in bounded time."""

import uuid
from time import perf_counter

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from batchanator.api.access import address, is_open
from batchanator.api.admission import CALLER, Admission, caller_of
from batchanator.api.answers import abort, send
from batchanator.api.callers import check_host, check_site
from batchanator.api.problems import (
    INTERNAL,
    INVALID,
    NOT_ALLOWED,
    NOT_FOUND,
    OVERLOADED,
    TOO_LARGE,
    UNAVAILABLE,
    ProblemError,
    problem_of,
    response_of,
)
from batchanator.api.service import Gate
from batchanator.domain.errors import StoreError, UnknownJobTypeError
from batchanator.domain.observing import NOBODY, Observer

BEGUN = web.RequestKey("answer begun", bool)
"""Set on a request when the first byte of an answer was made: there can be no other."""

_log = structlog.get_logger("batchanator.api")


class Guard:
    def __init__(
        self,
        gate: Gate,
        admission: Admission,
        max_running: int,
        *,
        own_machine_only: bool,
        observer: Observer = NOBODY,
    ) -> None:
        self._gate = gate
        self._admission = admission
        self._room = max_running
        self._own_machine_only = own_machine_only
        self._observer = observer

    def middleware(self) -> Middleware:
        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            began = perf_counter()
            response = await send(request, await self._answer(request, handler))
            self._observer.answered(_route(request), response.status, perf_counter() - began)
            return response

        return guard

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        open_to_all = is_open(request)
        try:
            if self._own_machine_only:
                check_host(request)
            recognise = self._admission.recognise_if_any if open_to_all else self._admission.recognise
            request[CALLER] = recognise(request)
        except ProblemError as problem:
            return response_of(problem)
        if open_to_all:  # health, which has its room however busy this process is
            return await _told(request, handler)
        if self._room == 0:
            return response_of(
                ProblemError(OVERLOADED, "Too many requests are being handled; send it again.")
            )
        self._room -= 1
        try:
            return await _told(request, self._gated(request, handler))
        finally:
            self._room += 1

    def _gated(self, request: web.Request, handler: Handler) -> Handler:
        async def gated(_request: web.Request) -> web.StreamResponse:
            check_site(request)
            if request.match_info.http_exception is None:
                self._admission.check_role(request)
                if self._gate.closed is not None:
                    raise ProblemError(UNAVAILABLE, self._gate.closed)
                await self._admission.check_job(request)
            name = caller_of(request).name
            if name is None:
                return await handler(request)
            with structlog.contextvars.bound_contextvars(caller=name):  # log lines say who asked
                return await handler(request)

        return gated


async def _told(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Return the handler's answer, or the problem that its error stands for."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        return _http_problem(request, error)
    except ConnectionError:  # nobody is there to hear of it
        raise
    except Exception as error:  # what nobody expected is told by its id, and logged in full
        problem = problem_of(_narrowed(request, error))
        if problem is None:
            problem = unexpected(_route(request), error)
        elif isinstance(error, StoreError):
            _log.warning("request.unavailable", route=_route(request), error=str(error))
        if BEGUN in request:
            abort(request)
            raise ConnectionResetError("the answer broke off") from error
        return response_of(problem)


def _narrowed(request: web.Request, error: Exception) -> Exception:
    """Name no job type that the caller is not to know of."""
    if not isinstance(error, UnknownJobTypeError):
        return error
    return UnknownJobTypeError(
        error.job_type, [name for name in error.known if caller_of(request).sees(name)]
    )


def unexpected(route: str, error: BaseException | None) -> ProblemError:
    """Log what nobody expected, and return a problem that tells no more than where to look."""
    number = uuid.uuid4()
    _log.error("request.failed", id=str(number), route=route, exc_info=error)
    detail = "The log says more under the id of this answer's `instance`."
    return ProblemError(INTERNAL, detail, more={"instance": f"urn:uuid:{number}"})


def _route(request: web.Request) -> str:
    route = request.match_info.route
    return "?" if route.resource is None else address(route)  # a method that nobody knows is no name


def _http_problem(request: web.Request, error: web.HTTPException) -> web.Response:
    """Return the problem for what aiohttp itself refuses."""
    match error.status:
        case 404:
            return response_of(ProblemError(NOT_FOUND, f"There is no address {request.path[:200]!r} here."))
        case 405:
            allowed = error.headers.get("Allow", "")
            detail = f"{request.method} is not for this address; use {allowed or 'another'}."
            return response_of(ProblemError(NOT_ALLOWED, detail, headers={"Allow": allowed}))
        case 413:
            return response_of(ProblemError(TOO_LARGE, "The body is too large."))
        case _:
            return response_of(ProblemError(INVALID, error.reason))
