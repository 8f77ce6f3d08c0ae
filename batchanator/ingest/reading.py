"""Reads the sources of jobs in the background: files and the staging table, from checkpoint to seal."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import structlog

from batchanator.domain.errors import LeaseLostError, NotFoundError, SourceError, TransientError, UniqueError
from batchanator.domain.observing import NOBODY, Observer
from batchanator.domain.submission import Entry, JobOptions
from batchanator.ingest.chunk import Chunk
from batchanator.ingest.entries import chunk_of
from batchanator.ingest.filling import Cutting, Filler
from batchanator.ingest.job_rows import to_fill
from batchanator.ingest.paths import FileIdentity, resolve
from batchanator.ingest.source import Source, open_source
from batchanator.ingest.writer import Counts, Writer
from batchanator.store.driver import Row
from batchanator.store.probes import probe
from batchanator.store.records import Checkpoint
from batchanator.store.store import Repositories, Store
from batchanator.store.wakeups import Wakeups

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
        cutting: Cutting,
        observer: Observer = NOBODY,
    ) -> None:
        self._store = store
        self._observer = observer
        self._wakeups = wakeups
        self._cutting = cutting
        self._filler = Filler(store, wakeups, cutting)
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
        writer = Writer(self._store, to_fill(job["id"], kind, options), checkpoint, self._observer)
        source = msgspec.json.decode(job["source"])
        try:
            if job["source_kind"] == "file":
                offset = checkpoint.byte_offset
                await self._filler.fill(
                    writer, lambda: self._open(FileIdentity(**source), offset), self._threads
                )
            else:
                await self._read_pending(writer, source)
            await probe("ingest.before_seal")
            await self._filler.seal(job["id"], checkpoint.ingest_fence, strict=options.strict)
        except SourceError as error:
            await self._filler.fail(job["id"], checkpoint.ingest_fence, error)
        except LeaseLostError:
            _log.warning("ingestion.lost", job=job["id"])
        self._wakeups.tell("ready")

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
                    job_type=source["job_type"], highest=source["highest"], limit=self._cutting.chunk_size
                )
                if not rows:
                    return None
                chunk = chunk_of(
                    [Entry(row["idempotency_key"], _bytes(row["payload"])) for row in rows],
                    first_line=writer.checkpoint.line + 1,
                    chain=writer.checkpoint.chain,
                    max_bytes=self._cutting.max_line_bytes,
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
            self._wakeups.tell("ready")


def _bytes(payload: object) -> bytes:
    """Return a staging row's payload as bytes: SQLite lets any type into a text column."""
    return payload if isinstance(payload, bytes) else str(payload).encode("utf-8", "surrogatepass")
