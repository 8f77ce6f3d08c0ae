"""Fills a job from a source of lines, and ends its ingestion: with the seal, or visibly failed."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import islice
from typing import Any

import structlog

from batchanator.domain.errors import LeaseLostError, SourceError
from batchanator.ingest.chunk import Chunk, read_chunks
from batchanator.ingest.job_rows import seal
from batchanator.ingest.lines import MAX_CHUNK_BYTES
from batchanator.ingest.portion import Portion
from batchanator.ingest.source import Source
from batchanator.ingest.verdicts import MAX_LINE_BYTES
from batchanator.ingest.writer import Writer
from batchanator.store.store import Repositories, Store
from batchanator.store.wakeups import Wakeups

MOST_CHUNKS = 5
_log = structlog.get_logger("batchanator.ingest")


def _nothing() -> None:
    """A file is always at hand."""


@dataclass(frozen=True, slots=True)
class Cutting:
    """How sources are cut: lines in a chunk, bytes in a line."""

    chunk_size: int
    max_line_bytes: int = MAX_LINE_BYTES


class Filler:
    def __init__(self, store: Store, wakeups: Wakeups, cutting: Cutting) -> None:
        self._store = store
        self._wakeups = wakeups
        self._cutting = cutting

    async def fill(
        self,
        writer: Writer,
        open_source: Callable[[], Source],
        threads: Executor,
        *,
        let_go: Callable[[], None] = _nothing,
    ) -> None:
        """Write a source from the checkpoint to its end; it is opened, read and closed in one of `threads`.

        `let_go` is called where writing fails, before what was read ahead is waited for: a client may send no more.

        Raises:
            SourceError: it is not there any more, cut, damaged or changed. LeaseLostError: another has the job now.
        """
        loop = asyncio.get_running_loop()

        def run(work: Callable[..., Any], *arguments: Any) -> "asyncio.Future[Any]":
            return loop.run_in_executor(threads, work, *arguments)

        opened = await run(open_source)
        try:
            chunks = self._chunks(opened, writer)

            def prepared(most: int) -> tuple[Portion, int] | None:
                """Parse the next portion, and say where the source stands then."""
                taken = _next(chunks, most)
                return (writer.prepare(taken), opened.position) if taken else None

            portion = await run(prepared, 1)
            most = 1
            while portion:
                most = min(most + 1, MOST_CHUNKS)
                # parse the next portion while the database works on this one
                ahead = run(prepared, most)
                try:
                    await writer.write(portion[0], position=portion[1])
                except BaseException:
                    let_go()
                    await asyncio.wait([ahead])
                    ahead.exception()  # the source's own end is of no interest any more
                    raise
                await asyncio.wait([ahead])
                self._wakeups.tell("ready")
                portion = ahead.result()
            await run(opened.verify_unchanged)
        finally:
            await run(opened.close)

    def _chunks(self, source: Source, writer: Writer) -> Iterator[Chunk]:
        start = writer.checkpoint
        return read_chunks(
            source,
            size=self._cutting.chunk_size,
            offset=start.byte_offset,
            first_line=start.line + 1,
            chain=start.chain,
            max_line_bytes=self._cutting.max_line_bytes,
        )

    async def seal(
        self, job_id: int, ingest_fence: int, *, strict: bool, fingerprint: str | None = None
    ) -> None:
        """Seal, and keep what an upload's key now stands for. LeaseLostError: it was not ours to seal."""

        async def work(tx: Repositories) -> bool:
            job = await tx.jobs.get(job_id) if strict else None
            rejected = 0 if job is None else job["rejected"]
            is_ours = await seal(tx, job_id, ingest_fence, strict=strict, rejected=rejected)
            if is_ours and fingerprint is not None:
                await tx.jobs.remember_request(job_id=job_id, fingerprint=fingerprint)
            return is_ours

        if not await self._store.transact(work):
            raise LeaseLostError("another worker reads this source now, or the job is stopping")
        _log.info("job.sealed", job=job_id)
        self._wakeups.tell("ready")
        if strict:
            self._wakeups.tell("due")
            self._wakeups.tell("stopped")

    async def fail(
        self, job_id: int, ingest_fence: int, error: SourceError, *, forget_request: bool = False
    ) -> None:
        """End a job whose source failed, with what was accepted listed; `forget_request` gives its key back."""

        async def work(tx: Repositories) -> int | None:
            stopped = await tx.jobs.stop(
                job_id=job_id,
                stopping="failed",
                reason=error.detail,
                reason_code=error.code,
                ingest_fence=ingest_fence,
            )
            if forget_request and stopped is not None:
                await tx.jobs.remember_request(job_id=job_id, fingerprint=None)
            return stopped

        if await self._store.transact(work) is None:
            return  # it was stopped, or is read or was sealed by another
        self._wakeups.tell("stopped")
        _log.error("source.failed", job=job_id, code=error.code, reason=error.detail)


def _next(chunks: Iterator[Chunk], most: int) -> list[Chunk]:
    """Take at most so many chunks, fewer where they hold 8 MiB."""
    taken: list[Chunk] = []
    for chunk in islice(chunks, most):
        taken.append(chunk)
        if chunk.end - taken[0].offset >= MAX_CHUNK_BYTES:
            break
    return taken
