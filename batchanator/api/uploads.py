"""POST /jobs/{jobType}/trigger/upload: the body is the source, committed as it arrives, answered when sealed."""

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
import msgspec
from aiohttp import web

from batchanator.api.idempotency import head_request
from batchanator.api.new_jobs import accepted
from batchanator.api.parameters import Query
from batchanator.api.problems import (
    ENCODED,
    IN_PROGRESS,
    KEY_REUSED,
    MEDIA_TYPE,
    OVERLOADED,
    SOURCE_FAILED,
    ProblemError,
    invalid,
)
from batchanator.api.requests import Options, job_name, job_options
from batchanator.api.service import Service
from batchanator.domain.errors import ConflictError, RequestRunsError, SourceError, UploadError
from batchanator.domain.submission import JobOptions

SILENCE_SECONDS = 60.0
"""How long a client may send nothing."""

ENCODINGS = {"identity", "gzip", "x-gzip", "zstd"}
MEDIA_TYPES = {
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/x-jsonlines",
    "application/gzip",
    "application/x-gzip",
    "application/zstd",
    "application/octet-stream",
    "text/plain",
}
UNREAD = web.RequestKey("body not asked for", bool)
"""Set on a request whose client keeps its body back: refused, it may send it or not, and the connection must end."""

_OPTIONS = ("onDuplicate", "strict", "priority", "maxConcurrency", "sliceSize")
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Uploads:
    def __init__(self, service: Service) -> None:
        self._uploads = service.uploads
        self._store = service.reads
        self._defaults = service.defaults

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/jobs/{jobType}/trigger/upload", self.upload, expect_handler=_not_yet)]

    async def upload(self, request: web.Request) -> web.Response:
        query = Query(request, "jobName", *_OPTIONS)
        _check_headers(request)
        name, options = job_name(query.text("jobName")), self._options(query)
        key = head_request(request)
        if not self._uploads.has_room:
            raise ProblemError(OVERLOADED, "Too many uploads are being read; send it again.")
        try:
            job = await self._uploads.upload(
                request.match_info["jobType"],
                _pull(request),
                name=name,
                options=options,
                request=key,
                size=request.content_length,
            )
        except UploadError as error:
            more = {"jobId": error.job_id, "code": error.code}
            raise ProblemError(SOURCE_FAILED, f"The source failed: {error}.", more=more) from None
        except RequestRunsError:
            raise ProblemError(IN_PROGRESS, "Its answer will be the same; ask again in a moment.") from None
        except ConflictError as error:
            if key is None:
                raise
            raise ProblemError(KEY_REUSED, f"{error}.") from None
        return await accepted(request, self._store, job, counts=True)

    def _options(self, query: Query) -> JobOptions:
        given = {name: value for name in _OPTIONS if (value := query.text(name)) is not None}
        try:
            return job_options(msgspec.convert(given, Options, strict=False), self._defaults)
        except msgspec.ValidationError as error:
            name = next((name for name in given if f"$.{name}" in str(error)), "")
            raise invalid(name, f"{name}: {error}".replace("`", "")) from None


def _check_headers(request: web.Request) -> None:
    if request.headers.get("Content-Encoding", "identity").lower() not in ENCODINGS:
        raise ProblemError(ENCODED, "Send the file as it is, or compressed as gzip or zstd.")
    if "Content-Type" in request.headers and request.content_type not in MEDIA_TYPES:
        raise ProblemError(MEDIA_TYPE, "Send NDJSON, as application/x-ndjson.")


async def _not_yet(request: web.Request) -> None:
    """Let no `100 Continue` be sent before it is known that the body is wanted."""
    request[UNREAD] = request.headers["Expect"].lower() == "100-continue"


def _pull(request: web.Request) -> Callable[[], Awaitable[bytes]]:
    async def pull() -> bytes:
        if request.get(UNREAD):
            request[UNREAD] = False
            await request.writer.write(_CONTINUE)
            request.writer.output_size = 0  # this was no part of the answer
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                return await request.content.readany()
        except (TimeoutError, ConnectionError, aiohttp.ClientError, web.RequestPayloadError) as error:
            raise SourceError("source_broken_off", "the upload broke off before its end") from error

    return pull
