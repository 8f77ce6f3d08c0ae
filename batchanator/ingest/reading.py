"""Reads the sources of jobs in the background: files and the staging table, from checkpoint to seal."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import structlog

from batchanator.domain.errors import LeaseLostError, NotFoundError, SourceError, TransientError, UniqueError
from batchanator.domain.submission import Entry, JobOptions
from batchanator.ingest.chunk import Chunk, read_chunks
from batchanator.ingest.entries import chunk_of
from batchanator.ingest.lines import MAX_CHUNK_BYTES
from batchanator.ingest.paths import FileIdentity, resolve
from batchanator.ingest.portion import Portion
from batchanator.ingest.source import Source, open_source
from batchanator.ingest.submitting import seal, to_fill
from batchanator.ingest.verdicts import MAX_LINE_BYTES
from batchanator.ingest.writer import Counts, Writer
from batchanator.store.driver import Row
from batchanator.store.probes import probe
from batchanator.store.records import Checkpoint
from batchanator.store.store import Repositories, Store
from batchanator.store.wakeups import Wakeups

MOST_CHUNKS = 5
SOURCE_GONE = "source_gone"
_log = structlog.get_logger("batchanator.ingest")


class SourceReader:
    """Reads one source at a time to its end. Stateless between sources; all progress is in the checkpoint."""

    def __init__(
        self,
        store: Store,
        wakeups: Wakeups,
        *,
        roots: Sequence[Path],
        chunk_size: int,
        max_line_bytes: int = MAX_LINE_BYTES,
    ) -> None:
        self._store = store
        self._wakeups = wakeups
        self._chunk_size = chunk_size
        self._max_bytes = max_line_bytes
        self.known_roots = {str(root.resolve()) for root in roots} | {str(root) for root in roots}
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="ingest")

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def read(self, job: Row, kind: Row) -> None:
        """Read a job's source, taken by take_ingestion, from its checkpoint to the seal.

        A source that is gone, changed, cut or damaged ends the job `failed`, visibly, with what was accepted listed.
        """
        options = JobOptions(**msgspec.json.decode(job["options"]))
        checkpoint = Checkpoint(job["ingest_fence"], job["byte_offset"], job["line"], bytes(job["chain"]))
        writer = Writer(self._store, to_fill(job["id"], kind, options), checkpoint)
        source = msgspec.json.decode(job["source"])
        try:
            if job["source_kind"] == "file":
                await self._read_file(writer, source)
            else:
                await self._read_pending(writer, source)
            await probe("ingest.before_seal")
            await self._seal(job["id"], checkpoint.ingest_fence, strict=options.strict)
        except SourceError as error:
            await self._fail(job["id"], checkpoint.ingest_fence, error)
        except LeaseLostError:
            _log.warning("ingestion.lost", job=job["id"])
        self._wakeups.ready.set()

    async def _seal(self, job_id: int, ingest_fence: int, *, strict: bool) -> None:
        async def work(tx: Repositories) -> bool:
            job = await tx.jobs.get(job_id) if strict else None
            return await seal(
                tx, job_id, ingest_fence, strict=strict, rejected=0 if job is None else job["rejected"]
            )

        if not await self._store.transact(work):
            raise LeaseLostError("another worker reads this source now, or the job is stopping")
        _log.info("job.sealed", job=job_id)
        if strict:
            self._wakeups.due.set()
            self._wakeups.stopped.set()

    async def _fail(self, job_id: int, ingest_fence: int, error: SourceError) -> None:
        async def work(tx: Repositories) -> int | None:
            return await tx.jobs.stop(
                job_id=job_id,
                stopping="failed",
                reason=error.detail,
                reason_code=error.code,
                ingest_fence=ingest_fence,
            )

        await self._store.transact(work)
        self._wakeups.stopped.set()
        _log.error("source.failed", job=job_id, code=error.code, reason=error.detail)

    # -- files -------------------------------------------------------------------------------------------------

    async def _read_file(self, writer: Writer, source: dict[str, Any]) -> None:
        loop = asyncio.get_running_loop()

        def run(work: Callable[..., Any], *arguments: Any) -> "asyncio.Future[Any]":
            return loop.run_in_executor(self._threads, work, *arguments)

        opened = await run(self._open, FileIdentity(**source), writer.checkpoint.byte_offset)
        try:
            start = writer.checkpoint
            chunks = read_chunks(
                opened,
                size=self._chunk_size,
                offset=start.byte_offset,
                first_line=start.line + 1,
                chain=start.chain,
                max_line_bytes=self._max_bytes,
            )

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
                finally:
                    await asyncio.wait([ahead])
                self._wakeups.ready.set()
                portion = ahead.result()
            await run(opened.verify_unchanged)
        finally:
            await run(opened.close)

    def _open(self, identity: FileIdentity, offset: int) -> Source:
        try:
            opened = resolve(identity.path, [Path(identity.root)])
        except NotFoundError as error:
            raise SourceError(SOURCE_GONE, "the file is not there any more") from error
        if replace(opened.identity, host=identity.host) != identity:
            opened.file.close()
            raise SourceError("source_changed", "the file is not the one that was submitted")
        source = open_source(opened)
        if offset:
            source.skip(offset)
        return source

    # -- the staging table -------------------------------------------------------------------------------------

    async def _read_pending(self, writer: Writer, source: dict[str, Any]) -> None:
        """Move staging rows up to the id that the trigger saw: out of the table and in as items in one transaction."""
        while True:

            async def once(tx: Repositories, *, careful: bool) -> tuple[Chunk, Counts] | None:
                rows = await tx.lines.take_pending(
                    job_type=source["job_type"], highest=source["highest"], limit=self._chunk_size
                )
                if not rows:
                    return None
                chunk = chunk_of(
                    [Entry(row["idempotency_key"], _bytes(row["payload"])) for row in rows],
                    first_line=writer.checkpoint.line + 1,
                    chain=writer.checkpoint.chain,
                    max_bytes=self._max_bytes,
                )
                portion = writer.prepare([chunk], [row["id"] for row in rows])
                counts = await writer.write_in(tx, portion, position=chunk.end, careful=careful)
                return chunk, counts

            async def carefully(tx: Repositories) -> tuple[Chunk, Counts] | None:
                return await once(tx, careful=True)

            try:
                async with self._store.transaction() as tx:
                    written = await once(tx, careful=False)
                    await probe("ingest.before_commit")
            except (UniqueError, TransientError):
                written = await self._store.transact(carefully)
            await probe("ingest.after_commit")
            if written is None:
                return
            writer.advance([written[0]], written[1])
            self._wakeups.ready.set()


def _bytes(payload: object) -> bytes:
    """Return a staging row's payload as bytes: SQLite lets any type into a text column."""
    return payload if isinstance(payload, bytes) else str(payload).encode("utf-8", "surrogatepass")


def _next(chunks: Iterator[Chunk], most: int) -> list[Chunk]:
    """Take at most so many chunks, fewer where they hold 8 MiB."""
    taken: list[Chunk] = []
    for chunk in islice(chunks, most):
        taken.append(chunk)
        if chunk.end - taken[0].offset >= MAX_CHUNK_BYTES:
            break
    return taken
