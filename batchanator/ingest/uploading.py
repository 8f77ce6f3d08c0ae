"""Uploads: the body of a request is the source. It is committed as it arrives, and answered when it is sealed.

What breaks off ends `failed` with what was accepted listed, and gives its request key back; nobody can read it again.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from datetime import UTC, datetime

import structlog

from batchanator.domain.errors import (
    ConflictError,
    LeaseLostError,
    RequestRunsError,
    SourceError,
    StoreError,
    UnavailableError,
    UniqueError,
    UploadError,
)
from batchanator.domain.observing import NOBODY, Observer
from batchanator.domain.submission import JobOptions, Request, Submitted
from batchanator.ingest.filling import Cutting, Filler
from batchanator.ingest.job_rows import columns_of, kind_of, to_fill
from batchanator.ingest.source import stream_source
from batchanator.ingest.submitting import OTHER_REQUEST
from batchanator.ingest.writer import Writer
from batchanator.store.driver import Row
from batchanator.store.records import Checkpoint
from batchanator.store.store import Repositories, Store
from batchanator.store.wakeups import Wakeups

BROKEN_OFF = "source_broken_off"
MOST_UPLOADS = 8
"""How many are read at a time, each in a thread of its own that waits for its client."""

Pull = Callable[[], Awaitable[bytes]]
"""Returns the next bytes of the body, b"" at its end. Raises SourceError where it breaks off."""

_log = structlog.get_logger("batchanator.ingest")


def broken_off() -> SourceError:
    return SourceError(BROKEN_OFF, "the upload broke off before its end")


class _Body:
    """The body as a thread reads it: each piece is asked of the event loop; `digest` is of all bytes read."""

    def __init__(self, pull: Pull) -> None:
        self._pull = pull
        self._loop = asyncio.get_running_loop()
        self._left = b""
        self._asked: Future[bytes] | None = None
        self._is_over = False
        self._digest = hashlib.sha256()

    def read(self, n: int, /) -> bytes:
        if not self._left:
            asked = self._asked = asyncio.run_coroutine_threadsafe(self._next(), self._loop)
            if self._is_over:
                asked.cancel()
            try:
                self._left = asked.result()
            except CancelledError:
                raise broken_off() from None
            self._digest.update(self._left)
        out, self._left = self._left[:n], self._left[n:]
        return out

    async def _next(self) -> bytes:
        return await self._pull()

    def let_go(self) -> None:
        """Wake the thread that waits for bytes which nobody will read."""
        self._is_over = True
        if self._asked is not None:
            self._asked.cancel()

    async def rest(self) -> str:
        """Read what is left, and return the digest of the whole."""
        while data := await self._pull():
            self._digest.update(data)
        return self._digest.hexdigest()


class Uploader:
    """`worker()` is the incarnation that ingests here, None while it has no lease."""

    def __init__(
        self,
        store: Store,
        wakeups: Wakeups,
        cutting: Cutting,
        *,
        worker: Callable[[], str | None],
        observer: Observer = NOBODY,
    ) -> None:
        self._store = store
        self._observer = observer
        self._wakeups = wakeups
        self._filler = Filler(store, wakeups, cutting)
        self._worker = worker
        self._threads = ThreadPoolExecutor(MOST_UPLOADS, thread_name_prefix="upload")
        self._running: set[int] = set()
        self._beginning = asyncio.Lock()  # a job is committed before it is known to run here

    @property
    def running(self) -> int:
        return len(self._running)

    @property
    def has_room(self) -> bool:
        return len(self._running) < MOST_UPLOADS

    async def upload(
        self,
        job_type: str,
        pull: Pull,
        *,
        name: str | None,
        options: JobOptions,
        request: Request | None,
        size: int | None,
    ) -> Submitted:
        """Read a body into a job of its own, and seal it.

        `request.fingerprint` is of all but the body; a replay is read to its end and compared.

        Raises:
            UploadError: the body broke off, or is no source; its job ended `failed`. ConflictError: the job was
            stopped meanwhile, or the key belongs to another request. RequestRunsError: its first request still runs.
        """
        kind = await kind_of(self._store, job_type)
        body = _Body(pull)
        if request is not None and (before := await self._before(request)):
            return await self._replay(before, request, body)
        name = name or f"{job_type}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
        begun = None if request is None else Request(request.key, f"{request.fingerprint}:")
        columns = columns_of(kind, options, "upload", name, name, {}, begun)
        async with self._beginning:
            try:
                job = await self._begin({**columns, "source_size": size})
            except UniqueError:
                raise RequestRunsError("its first request still runs") from None
            self._running.add(job["id"])
        try:
            await self._read(job, kind, options, body, request)
        finally:
            self._running.discard(job["id"])
        return Submitted(job["id"])

    async def _before(self, request: Request) -> Row | None:
        """Return the job that the key stands for; one that was stopped before its end gives the key back."""
        row = await self._store.jobs.by_request(request.key)
        if row is None:
            return None
        head, _, digest = row["request_fingerprint"].partition(":")
        if head != request.fingerprint:
            raise ConflictError(OTHER_REQUEST)
        if digest:
            return row
        if row["sealed_at"] is None:
            raise RequestRunsError("its first request still runs")
        await self._store.jobs.remember_request(job_id=row["id"], fingerprint=None)
        return None

    async def _replay(self, before: Row, request: Request, body: _Body) -> Submitted:
        if f"{request.fingerprint}:{await body.rest()}" != before["request_fingerprint"]:
            raise ConflictError(OTHER_REQUEST)
        return Submitted(before["id"], replayed=True)

    async def _begin(self, columns: dict[str, object]) -> Row:
        """Write the job, read by this worker from its first moment on."""
        worker = self._worker()
        if worker is None:
            raise UnavailableError("this process has no lease")

        async def work(tx: Repositories) -> Row:
            job_id = await tx.jobs.create(**columns)
            job = await tx.jobs.take_ingestion(job_id=job_id, worker=worker)
            if job is None:
                raise UnavailableError("this process has no lease")
            return job

        job = await self._store.transact(work)
        _log.info("job.submitted", job=job["id"], source="upload")
        return job

    async def _read(
        self, job: Row, kind: Row, options: JobOptions, body: _Body, request: Request | None
    ) -> None:
        job_id, fence = job["id"], job["ingest_fence"]
        start = Checkpoint(fence, 0, 0, b"")
        writer = Writer(self._store, to_fill(job_id, kind, options), start, self._observer)
        try:
            await self._fill(writer, body)
            digest = await body.rest()
            fingerprint = None if request is None else f"{request.fingerprint}:{digest}"
            await self._filler.seal(job_id, fence, strict=options.strict, fingerprint=fingerprint)
        except SourceError as error:
            await self._filler.fail(job_id, fence, error, forget_request=True)
            self._observer.uploaded("broken_off" if error.code == BROKEN_OFF else "failed")
            raise UploadError(job_id, error) from None
        except LeaseLostError:
            self._observer.uploaded("failed")
            raise ConflictError(f"job {job_id} was stopped while it was sent") from None
        except BaseException:  # this request ends here, and nobody can go on with it
            await asyncio.shield(self._break_off(job_id, fence))
            self._observer.uploaded("broken_off")
            raise
        self._observer.uploaded("sealed")

    async def _fill(self, writer: Writer, body: _Body) -> None:
        filling = asyncio.ensure_future(
            self._filler.fill(writer, lambda: stream_source(body.read), self._threads, let_go=body.let_go)
        )
        try:
            await asyncio.shield(filling)
        except asyncio.CancelledError:
            body.let_go()
            filling.cancel()
            await asyncio.wait([filling])
            raise

    async def end_broken(self) -> None:
        """End uploads that broke off with their process, or whose end could not be written."""
        worker = self._worker()
        if worker is None:
            return
        async with self._beginning:
            for row in await self._store.jobs.broken_uploads(worker=worker):
                if row["id"] not in self._running:
                    await self._break_off(row["id"], row["ingest_fence"])

    async def _break_off(self, job_id: int, ingest_fence: int) -> None:
        try:
            await self._filler.fail(job_id, ingest_fence, broken_off(), forget_request=True)
        except StoreError as failed:  # a later look ends it
            _log.warning("upload.not_ended", job=job_id, error=str(failed))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
