"""Who sent a request, and whether it may: keys, roles, job types. Denied is whatever is not allowed.

A right key is always let in, however many wrong ones come from its address: they may share a proxy, and 256 random bits
are not guessed. What is limited is the noise that wrong ones make.
"""

import hashlib
import hmac
import math
from collections.abc import Sequence
from contextlib import suppress

import structlog
from aiohttp import web

from batchanator.api.access import NARROWED, ROLES, address
from batchanator.api.attempts import FailedAttempts
from batchanator.api.parameters import batch_id, job_id
from batchanator.api.problems import FORBIDDEN, TOO_MANY_ATTEMPTS, UNAUTHORIZED, ProblemError
from batchanator.domain.access import ANYBODY, NOBODY, Caller, Key
from batchanator.domain.errors import NotFoundError
from batchanator.store.jobs import Jobs

CALLER = web.RequestKey("caller", Caller)
_log = structlog.get_logger("batchanator.api")


def caller_of(request: web.Request) -> Caller:
    return request[CALLER]


def check_job_type(request: web.Request, job_type: str) -> None:
    """Refuse a job type that the caller is not limited to, whether there is such a type or not."""
    if not caller_of(request).sees(job_type):
        raise ProblemError(FORBIDDEN, "This key is for other job types.")


class Admission:
    def __init__(self, keys: Sequence[Key], jobs: Jobs) -> None:
        self._keys = tuple(keys)
        self._jobs = jobs
        self._failed = FailedAttempts()

    def recognise(self, request: web.Request) -> Caller:
        """Return the holder of the request's key.

        Raises:
            ProblemError: there is none, or it is wrong; 429 where too many were.
        """
        if not self._keys:
            return ANYBODY
        given = request.headers.getall("Authorization", [])
        if not given:
            raise _unauthorized("Send a key: `Authorization: Bearer …`.", "Bearer")
        caller = self._holder(given)
        if caller is not None:
            return caller
        wait = self._failed.count(request.remote)
        if wait is not None:
            raise ProblemError(
                TOO_MANY_ATTEMPTS,
                "Too many wrong keys came from this address.",
                headers={"Retry-After": str(math.ceil(wait))},
            )
        _log.warning("key.refused", address=request.remote, method=request.method, path=request.path)
        raise _unauthorized("There is no such key.", 'Bearer error="invalid_token"')

    def recognise_if_any(self, request: web.Request) -> Caller:
        """Return the holder of the request's key, NOBODY where it has none that is right."""
        with suppress(ProblemError):
            return self.recognise(request)
        return NOBODY

    def _holder(self, given: Sequence[str]) -> Caller | None:
        scheme, _, key = given[0].partition(" ")
        if len(given) > 1 or scheme.lower() != "bearer":
            return None
        digest = hashlib.sha256(key.strip().encode("utf-8", "surrogateescape")).digest()
        found = None
        for known in self._keys:  # every one, so that the time says nothing of which
            if hmac.compare_digest(known.digest, digest):
                found = known.caller
        return found

    def check_role(self, request: web.Request) -> None:
        """Refuse what the caller's roles, or the limits of its key, do not allow on this route at all."""
        route, caller = address(request.match_info.route), caller_of(request)
        needed = ROLES[route]
        if needed not in caller.roles:
            raise ProblemError(FORBIDDEN, f"That takes a key with the role {needed}.")
        if caller.job_types is not None and not _is_narrowed(route):
            raise ProblemError(FORBIDDEN, "That takes a key that is not limited to job types.")

    async def check_job(self, request: web.Request) -> None:
        """Hide a job of another type than the caller's: it is answered as one that is not there."""
        caller = caller_of(request)
        if caller.job_types is None:
            return
        if "jobType" in request.match_info:
            check_job_type(request, request.match_info["jobType"])
        elif "id" in request.match_info:
            job, named = _job_of(request)
            job_type = await self._jobs.type_of(job)
            if job_type is None or not caller.sees(job_type):
                raise NotFoundError(f"there is no {named}")


def _is_narrowed(route: str) -> bool:
    path = route.partition(" ")[2]
    return route in NARROWED or "{jobType}" in path or path.startswith(("/jobs/{id}", "/batches/{id}"))


def _job_of(request: web.Request) -> tuple[int, str]:
    """Return the job that the address is about, and what its route would say is not there."""
    if request.path.startswith("/batches/"):
        job, number = batch_id(request)
        return job, f"batch {job}-{number}"
    return job_id(request), f"job {job_id(request)}"


def _unauthorized(detail: str, challenge: str) -> ProblemError:
    return ProblemError(UNAUTHORIZED, detail, headers={"WWW-Authenticate": challenge})
