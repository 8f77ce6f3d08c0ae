"""A small world to test the store's protocol in: jobs, workers, claims and settles, a line each."""

from __future__ import annotations

import asyncio
import itertools
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from batchanator.dispatch.duties import Duties
from batchanator.domain.submission import Entry, JobOptions
from batchanator.ingest.chunk import Chunk
from batchanator.ingest.entries import chunk_of
from batchanator.ingest.job_rows import seal, to_fill
from batchanator.ingest.submitting import Submitter
from batchanator.ingest.writer import Writer
from batchanator.store.migrations import migrate
from batchanator.store.operations import Operations
from batchanator.store.records import Checkpoint, Claimed, ItemOutcome, Release, Settled, SliceOutcome
from batchanator.store.statements import Dialect, Statement, compile_text, spelt_for_sqlserver
from batchanator.store.store import Repositories, Store, driver_for
from batchanator.store.wakeups import Wakeups

NOW = timedelta(0)
HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)
DEADLINE = 15.0
ATTEMPTS = 3
READY, LEASED, WAITING, HELD = range(4)
TEXT = '{"a": 1}'


@dataclass(frozen=True)
class Answer:
    """What a handler said of one item."""

    status: str
    wait: timedelta = NOW
    error: str | None = None
    code: str | None = None
    result: str | None = None
    reason: str | None = None
    own_row: bool = False


GOOD = Answer("succeeded")
BAD = Answer("failed", error="it broke", code="Broken")
LATER = Answer("failed", wait=HOUR, error="it broke", code="Broken")
FATAL = Answer("dead", error="no such thing", code="Fatal", reason="permanent")
SKIP = Answer("skipped", error="not applicable")


@cache
def statement(text: str) -> Statement:
    return Statement(
        "test",
        compile_text(text, Dialect.POSTGRES),
        compile_text(text, Dialect.SQLITE),
        compile_text(spelt_for_sqlserver(text), Dialect.SQLSERVER),
    )


def entries(keys: Sequence[str], payload: str = TEXT) -> list[Entry]:
    return [Entry(key, payload.encode()) for key in keys]


def settlement(
    claimed: Claimed,
    answers: Mapping[int, Answer],
    *,
    closing: bool = True,
    flushed: Sequence[int] = (),
    state: int = LEASED,
    fence: int | None = None,
) -> tuple[SliceOutcome, list[ItemOutcome]]:
    """Return what a worker would say of a slice; a closing settle's items without an answer are good."""
    fence = claimed.fence if fence is None else fence
    plain: list[int] = []
    rows: list[ItemOutcome] = []
    results: list[str] = ["null"] * (claimed.last_seq - claimed.first_seq + 1)
    for seq in claimed.seqs:
        if seq in flushed or (not closing and seq not in answers):
            continue
        answer = answers.get(seq, GOOD)
        is_plain = answer.status == "succeeded" and not answer.own_row and seq not in claimed.retries
        if is_plain and closing and claimed.settles == 0:
            plain.append(seq)
            results[seq - claimed.first_seq] = answer.result or "null"
        else:
            rows.append(_row(claimed, seq, answer))
    text = f"[{','.join(results)}]" if any(result != "null" for result in results) else None
    status = "succeeded" if plain else None
    one = SliceOutcome(
        claimed.job_id,
        claimed.first_seq,
        fence,
        state,
        closing,
        len(plain),
        status,
        TICK,
        NOW,
        None,
        None,
        text,
    )
    return one, rows


def _row(claimed: Claimed, seq: int, answer: Answer) -> ItemOutcome:
    attempts, most = claimed.retries.get(seq, (0, ATTEMPTS))
    status, reason, failed = answer.status, answer.reason, answer.status in {"failed", "dead"}
    if status == "failed":
        status, reason = ("dead", "exhausted") if attempts + 1 >= most else ("retrying", None)
    return ItemOutcome(
        claimed.job_id,
        claimed.first_seq,
        seq,
        status,
        reason,
        attempts + 1,
        most,
        failed,
        answer.wait if status == "retrying" else None,
        TICK,
        NOW,
        answer.code,
        answer.error,
        "f00d" if failed else None,
        answer.result,
    )


class World:
    def __init__(self, store: Store, url: str) -> None:
        self.store = store
        self.url = url
        self.wakeups = Wakeups()
        self.duties = Duties(store, max_crashes=2)
        self.operations = Operations(store, self.wakeups)
        self.types: dict[str, int] = {}
        self._numbers = itertools.count(1)
        self._more: list[Store] = []

    @classmethod
    async def begin(cls, url: str) -> World:
        store = Store(driver_for(url))
        await store.open()
        await migrate(store.driver)
        return cls(store, url)

    async def end(self) -> None:
        for store in (*self._more, self.store):
            await store.close()

    async def another(self, url: str | None = None) -> Store:
        """Return a second store on the same database: another process's, as far as the database can see."""
        store = Store(driver_for(url or self.url, connections=2))
        await store.open()
        self._more.append(store)
        return store

    # -- reading -----------------------------------------------------------------------------------------------

    async def fetch(self, text: str, **parameters: object) -> list[dict[str, Any]]:
        return [dict(row) for row in await self.store.driver.fetch(statement(text), **parameters)]

    async def one(self, text: str, **parameters: object) -> dict[str, Any]:
        rows = await self.fetch(text, **parameters)
        assert len(rows) == 1, rows
        return rows[0]

    async def slices(self, job_id: int) -> list[dict[str, Any]]:
        return await self.fetch(
            "SELECT * FROM slices WHERE job_id = :job_id ORDER BY first_seq", job_id=job_id
        )

    async def slice(self, job_id: int, first_seq: int = 1) -> dict[str, Any]:
        return await self.one(
            "SELECT * FROM slices WHERE job_id = :job_id AND first_seq = :first_seq",
            job_id=job_id,
            first_seq=first_seq,
        )

    async def outcome(self, job_id: int, seq: int) -> dict[str, Any]:
        return await self.one(
            "SELECT * FROM outcomes WHERE job_id = :job_id AND seq = :seq", job_id=job_id, seq=seq
        )

    async def statuses(self, job_id: int) -> dict[int, str]:
        return {row["seq"]: row["status"] for row in await self.items(job_id)}

    async def items(self, job_id: int) -> list[dict[str, Any]]:
        """Return a job's items as people see them, in input order."""
        return await self.fetch(
            "SELECT * FROM batch_items WHERE job_id = :job_id ORDER BY seq", job_id=job_id
        )

    async def counts(self, job_id: int) -> dict[str, int]:
        """Return the job's counts that are not 0."""
        row = await self.get(job_id)
        names = ("succeeded", "skipped", "retrying", "dead", "cancelled", "processing", "pending")
        return {name: int(row[name]) for name in names if row[name]}

    async def get(self, job_id: int) -> dict[str, Any]:
        row = await self.store.jobs.get(job_id)
        assert row is not None
        return dict(row)

    async def status(self, job_id: int) -> str:
        return str((await self.get(job_id))["status"])

    async def events(self, job_id: int) -> list[tuple[int, str]]:
        rows = await self.fetch(
            "SELECT round, status FROM events WHERE job_id = :job_id ORDER BY round", job_id=job_id
        )
        return [(row["round"], row["status"]) for row in rows]

    async def lapses(self, job_id: int) -> list[dict[str, Any]]:
        rows = await self.store.lines.lapses(job_id=job_id, after_seq=0, after_fence=0, limit=1000)
        return [dict(row) for row in rows]

    async def duplicates(self, job_id: int) -> list[tuple[int, int, int, int, str]]:
        rows = await self.store.lines.duplicates(job_id=job_id, after=0, limit=1000)
        names = ("first_line", "last_line", "holder_job_id", "holder_seq", "kind")
        return [tuple(row[name] for name in names) for row in rows]

    # -- jobs --------------------------------------------------------------------------------------------------

    async def job_type(self, name: str = "mail", *, slice_size: int = 50) -> int:
        self.types[name] = await self.store.job_types.upsert(
            name=name,
            slice_size=slice_size,
            timeout_seconds=30.0,
            max_attempts=ATTEMPTS,
            backoff_cap_seconds=3600.0,
            backoff_jitter=False,
        )
        return self.types[name]

    async def empty_job(
        self, options: JobOptions | None = None, *, job_type: str = "mail", source: str = "{}"
    ) -> int:
        """Return a job without lines yet."""
        options = options or JobOptions()
        if job_type not in self.types:
            await self.job_type(job_type)

        async def create(tx: Repositories) -> int:
            return await tx.jobs.create(
                job_type_id=self.types[job_type],
                name="a job",
                priority=options.priority,
                max_concurrency=options.max_concurrency,
                rate=None,
                options=json.dumps(options.as_json()),
                source_kind="file",
                source_name="a.ndjson",
                source=source,
                source_size=None,
                request_key=None,
                request_fingerprint=None,
            )

        return await self.store.transact(create)

    async def ingester(
        self,
        job_id: int,
        options: JobOptions | None = None,
        *,
        job_type: str = "mail",
        worker: str | None = None,
        store: Store | None = None,
    ) -> Writer:
        """Take a job's ingestion, as a worker that lives, and return what writes its chunks."""
        store = store or self.store
        worker = worker or await self.worker()
        row = await store.jobs.take_ingestion(job_id=job_id, worker=worker)
        assert row is not None, "another has the ingestion"
        kinds = await store.job_types.list()
        kind = next(kind for kind in kinds if kind["name"] == job_type)
        start = Checkpoint(row["ingest_fence"], row["byte_offset"], row["line"], bytes(row["chain"]))
        return Writer(store, to_fill(job_id, kind, options or JobOptions()), start)

    async def job(
        self,
        lines: int | Sequence[Entry] = 3,
        *,
        slice_size: int | None = None,
        chunk: int = 1000,
        sealed: bool = True,
        job_type: str = "mail",
        options: JobOptions | None = None,
    ) -> int:
        """Return a job of `lines`, ingested a chunk at a time; keys are its own unless they are given."""
        options = options or JobOptions()
        if slice_size is not None:
            options = JobOptions(**{**options.as_json(), "slice_size": slice_size})
        job_id = await self.empty_job(options, job_type=job_type)
        if isinstance(lines, int):
            lines = entries([f"{job_id}/{number}" for number in range(1, lines + 1)])
        writer = await self.ingester(job_id, options, job_type=job_type)
        for start in range(0, len(lines), chunk):
            await writer.write(writer.prepare([portion(lines[start : start + chunk], writer)]), position=0)
        if sealed:
            await self.seal(job_id, writer, strict=options.strict)
        return job_id

    async def writes(self, writer: Writer, *chunks: Sequence[Entry]) -> None:
        """Write each as a portion of its own."""
        for lines in chunks:
            await writer.write(writer.prepare([portion(lines, writer)]), position=0)

    async def seal(self, job_id: int, writer: Writer, *, strict: bool = False) -> bool:
        rejected = (await self.get(job_id))["rejected"]
        fence = writer.checkpoint.ingest_fence

        async def work(tx: Repositories) -> bool:
            return await seal(tx, job_id, fence, strict=strict, rejected=rejected)

        return await self.store.transact(work)

    def submitter(self, *, chunk_size: int = 1000, store: Store | None = None) -> Submitter:
        return Submitter(store or self.store, self.wakeups, roots=[], chunk_size=chunk_size)

    # -- work --------------------------------------------------------------------------------------------------

    async def worker(self, lease: timedelta = HOUR) -> str:
        incarnation = f"w{next(self._numbers)}-{uuid.uuid4()}"
        await self.store.workers.register(worker=incarnation, lease=lease, host="host", pid=1, roles="worker")
        return incarnation

    async def die(self, worker: str) -> None:
        """The worker's process is gone, and its lease is over."""
        await self.store.workers.expire(worker=worker)

    async def claim(
        self, worker: str, limit: int = 20, *, store: Store | None = None, types: Sequence[int] | None = None
    ) -> list[Claimed]:
        wanted = list(self.types.values()) if types is None else types
        return await (store or self.store).slices.claim(worker=worker, types=wanted, limit=limit)

    async def claim_one(self, worker: str) -> Claimed:
        taken = await self.claim(worker, 1)
        assert len(taken) == 1
        return taken[0]

    async def settle(
        self,
        worker: str | None,
        claimed: Claimed | Sequence[Claimed],
        answers: Mapping[int, Answer] | None = None,
        *,
        closing: bool = True,
        flushed: Sequence[int] = (),
        store: Store | None = None,
    ) -> list[Settled]:
        """Settle (or flush) slices in one statement; `answers` are by seq, whatever the slice."""
        slices, items = [], []
        for one in [claimed] if isinstance(claimed, Claimed) else claimed:
            row, rows = settlement(one, answers or {}, closing=closing, flushed=flushed)
            slices.append(row)
            items += rows
        return await (store or self.store).slices.settle(worker=worker, slices=slices, items=items)

    async def flush(self, worker: str, claimed: Claimed, answers: Mapping[int, Answer]) -> list[Settled]:
        return await self.settle(worker, claimed, answers, closing=False)

    async def release(self, worker: str, claimed: Claimed, *, started: bool) -> bool:
        key = Release(claimed.job_id, claimed.first_seq, claimed.fence, started)
        return bool(await self.store.slices.release(worker=worker, slices=[key]))

    async def run(self, answers: Mapping[int, Answer] | None = None, *, worker: str | None = None) -> None:
        """Claim and settle until nothing is ready; what fails at `answers` fails each time."""
        worker = worker or await self.worker()
        while taken := await self.claim(worker):
            await self.settle(worker, taken, answers)

    async def run_out(self, answers: Mapping[int, Answer] | None = None) -> None:
        """Run until nothing is left, retries too."""
        while True:
            await self.run(answers)
            if not await self.duties.promote():
                return

    # -- PostgreSQL --------------------------------------------------------------------------------------------

    async def until_blocked(self, sessions: int = 1) -> None:
        """Wait until so many of this database's sessions wait for a lock."""
        async with asyncio.timeout(DEADLINE):
            while True:
                row = await self.one(
                    "SELECT count(*) AS n FROM pg_stat_activity"
                    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
                )
                if row["n"] >= sessions:
                    return
                await asyncio.sleep(0.002)


def portion(lines: Sequence[Entry], writer: Writer) -> Chunk:
    """Return the chunk that comes next at a writer's checkpoint."""
    at = writer.checkpoint
    return chunk_of(lines, first_line=at.line + 1, chain=at.chain)


def portions(lines: Sequence[Entry], writer: Writer, size: int) -> list[Chunk]:
    """Return several chunks for one portion."""
    at, chunks, chain = writer.checkpoint.line, [], writer.checkpoint.chain
    for start in range(0, len(lines), size):
        chunks.append(chunk_of(lines[start : start + size], first_line=at + start + 1, chain=chain))
        chain = chunks[-1].chain
    return chunks
