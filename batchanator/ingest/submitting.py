"""New jobs: the row that a trigger writes. Direct items are stored in its transaction, other sources are read later."""

import dataclasses
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from batchanator.domain.errors import ConflictError, TransientError, UniqueError
from batchanator.domain.observing import NOBODY, Observer
from batchanator.domain.submission import Entry, JobOptions, Request, Submitted
from batchanator.ingest.entries import chunk_of
from batchanator.ingest.job_rows import columns_of, kind_of, seal, to_fill
from batchanator.ingest.paths import resolve
from batchanator.ingest.verdicts import MAX_LINE_BYTES
from batchanator.ingest.writer import Counts, Writer
from batchanator.store.driver import Row
from batchanator.store.records import Checkpoint
from batchanator.store.store import Repositories, Store
from batchanator.store.wakeups import Wakeups

_log = structlog.get_logger("batchanator.ingest")
OTHER_REQUEST = "this Idempotency-Key was used with another request"


def _now() -> datetime:
    return datetime.now(UTC)


class Submitter:
    def __init__(
        self,
        store: Store,
        wakeups: Wakeups,
        *,
        roots: Sequence[Path],
        chunk_size: int,
        max_line_bytes: int = MAX_LINE_BYTES,
        now: Callable[[], datetime] = _now,
        observer: Observer = NOBODY,
    ) -> None:
        self._store = store
        self._observer = observer
        self._wakeups = wakeups
        self._roots = roots
        self._chunk_size = chunk_size
        self._max_bytes = max_line_bytes
        self._now = now

    async def file(
        self, job_type: str, path: str, *, name: str | None, options: JobOptions, request: Request | None
    ) -> Submitted:
        """Write the job of a file under a source root; it is read in the background.

        Raises:
            NotFoundError: no such file under a source root. UnknownJobTypeError: no such job type.
        """
        kind = await kind_of(self._store, job_type)
        if request is not None and (before := await self._before(request)):
            return before
        opened = resolve(path, self._roots)
        identity = dataclasses.asdict(opened.identity)
        opened.file.close()
        display = Path(opened.identity.path).name
        columns = columns_of(kind, options, "file", name or display, display, identity, request)
        job = await self._create({**columns, "source_size": opened.identity.size}, request)
        self._wakeups.tell("sources")
        return job

    async def database(
        self, job_type: str, *, options: JobOptions, request: Request | None
    ) -> Submitted | None:
        """Write the job of what is in the staging table now; None where nothing is pending."""
        kind = await kind_of(self._store, job_type)
        if request is not None and (before := await self._before(request)):
            return before
        highest = await self._store.lines.highest_pending(job_type)
        if highest is None:
            return None
        name = f"{job_type}-{self._now():%Y%m%d-%H%M%S}"
        source = {"job_type": job_type, "highest": highest}
        job = await self._create(
            columns_of(kind, options, "database", name, "pending_work", source, request), request
        )
        self._wakeups.tell("sources")
        return job

    async def items(
        self,
        job_type: str,
        entries: Sequence[Entry],
        *,
        name: str | None,
        options: JobOptions,
        request: Request | None,
    ) -> Submitted:
        """Store direct items and their job in one transaction, sealed."""
        kind = await kind_of(self._store, job_type)
        name = name or f"{job_type}-{self._now():%Y%m%d-%H%M%S}"
        columns = columns_of(kind, options, "items", name, "items", {}, request)
        columns["source_size"] = len(entries)

        async def work(tx: Repositories, *, careful: bool) -> tuple[int, Counts]:
            job_id = await tx.jobs.create(**columns)
            return job_id, await self._fill(tx, job_id, kind, options, entries, careful=careful)

        async def carefully(tx: Repositories) -> tuple[int, Counts]:
            return await work(tx, careful=True)

        if request is not None and (before := await self._before(request)):
            return before
        try:
            async with self._store.transaction() as tx:
                job_id, counts = await work(tx, careful=False)
        except (UniqueError, TransientError):
            if request is not None and (before := await self._before(request)):
                return before
            try:
                job_id, counts = await self._store.transact(carefully)
            except UniqueError:  # the same request, at the same moment
                if request is not None and (before := await self._before(request)):
                    return before
                raise
        self._observer.ingested(counts.accepted, counts.duplicates, counts.rejected)
        self._wakeups.tell("ready")
        _log.info("job.submitted", job=job_id, job_type=job_type, source="items", items=len(entries))
        return Submitted(job_id)

    async def _fill(
        self,
        tx: Repositories,
        job_id: int,
        kind: Row,
        options: JobOptions,
        entries: Sequence[Entry],
        *,
        careful: bool,
    ) -> Counts:
        writer = Writer(self._store, to_fill(job_id, kind, options), Checkpoint(0, 0, 0, b""))
        for start in range(0, len(entries), self._chunk_size):
            part = entries[start : start + self._chunk_size]
            chunk = chunk_of(
                part, first_line=start + 1, chain=writer.checkpoint.chain, max_bytes=self._max_bytes
            )
            portion = writer.prepare([chunk])
            counts = await writer.write_in(tx, portion, position=chunk.end, careful=careful)
            writer.advance([chunk], counts)
        await seal(tx, job_id, 0, strict=options.strict, rejected=writer.counts.rejected)
        return writer.counts

    async def _before(self, request: Request) -> Submitted | None:
        row = await self._store.jobs.by_request(request.key)
        if row is None:
            return None
        if row["request_fingerprint"] != request.fingerprint:
            raise ConflictError(OTHER_REQUEST)
        return Submitted(row["id"], replayed=True)

    async def _create(self, columns: dict[str, Any], request: Request | None) -> Submitted:
        async def work(tx: Repositories) -> int:
            return await tx.jobs.create(**columns)

        try:
            job_id = await self._store.transact(work)
        except UniqueError:
            if request is not None and (before := await self._before(request)):
                return before
            raise
        _log.info("job.submitted", job=job_id, source=columns["source_kind"])
        return Submitted(job_id)
