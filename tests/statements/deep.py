"""A deep queue on PostgreSQL or SQLite: a hundred thousand slices, made in the database."""

from __future__ import annotations

from dataclasses import dataclass

from batchanator.store.statements import Dialect
from batchanator.store.store import Store
from tests.contract.world import statement

DEPTH = 100_000
SIZE = 2  # items of a slice
_NUMBERS = """
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {depth})
"""
_JOB = """
INSERT INTO jobs (job_type_id, name, source_kind, source_name, priority, rank_base, started_at, sealed_at,
  paused_at, lines, accepted, batches, batches_open, slices_cut)
VALUES ({type}, 'deep', 'file', 'deep', 0, {rank}, {now}, {now}, {paused}, {items}, {items},
  {batches}, {batches}, {depth})
"""
_BATCHES = """
INSERT INTO batches (job_id, number, first_seq, last_seq, total)
{numbers} SELECT {job}, i, (i - 1) * 1000 + 1, i * 1000, 1000 FROM n
"""
_SLICES = """
INSERT INTO slices (job_id, first_seq, last_seq, batch, ordinal, open, state, available_at, fence, settles)
{numbers} SELECT {job}, i * 2 - 1, i * 2, (i * 2 - 2) / 1000 + 1, i, {open}, {state}, {available},
  {settles}, {settles} FROM n
"""
_ITEMS = """
INSERT INTO items (job_id, seq, idempotency_key, payload)
{numbers} SELECT {job}, i, {job} || '/' || i, '{{"a":1}}' FROM n
"""
_RETRIES = """
INSERT INTO outcomes (job_id, seq, status, attempts, max_attempts, fence, finished_at, next_attempt_at,
  error_code, error)
{numbers} SELECT {job}, i * 2, 'retrying', 1, 3, 1, {now}, {later}, 'Broken', 'it broke' FROM n
"""
_RUNS = """
INSERT INTO runs (job_id, first_seq, last_seq, status, fence, started_at, finished_at)
{numbers} SELECT {job}, i * 2 - 1, i * 2, 'succeeded', 1, {now}, {now} FROM n
"""
_REJECTS = """
INSERT INTO rejects (job_id, line, byte_offset, code, message, raw, raw_cut)
{numbers} SELECT {job}, 1000000 + i, i, 'not_json', 'not valid JSON', CAST('x' AS {bytes}), {no} FROM n
"""
_DUPLICATES = """
INSERT INTO duplicates (job_id, first_line, last_line, holder_job_id, holder_seq, kind)
{numbers} SELECT {job}, 2000000 + i * 2, 2000001 + i * 2, {job}, i, 'duplicate' FROM n
"""
_KEYS = """
INSERT INTO idempotency_keys (job_id, seq, payload_hash, job_type_id, key)
{numbers} SELECT {job}, i, 0, {type}, {job} || '/' || i FROM n
"""


@dataclass(frozen=True)
class Queue:
    """Jobs by what their slices are: `ahead` stands before `ready`, and may not run or has nothing ready."""

    ahead: int
    ready: int


class Filler:
    """Writes jobs with plain SQL, in the words of one database."""

    def __init__(self, store: Store, *, now: str, later: str) -> None:
        self._store = store
        self._now = now
        self._later = later
        self._jobs = 0

    async def job(
        self, job_type: int, slices: int, *, rank: int, paused: bool = False, waiting: bool = False
    ) -> int:
        self._jobs += 1
        words = {
            "type": job_type,
            "job": self._jobs,
            "rank": rank,
            "now": self._now,
            "later": self._later,
            "paused": self._now if paused else "NULL",
            "items": slices * SIZE,
            "depth": slices,
            "batches": max(1, slices * SIZE // 1000),
            "open": 1 if waiting else SIZE,
            "state": 2 if waiting else 0,
            "available": self._later if waiting else "NULL",
            "settles": 1 if waiting else 0,
        }

        async def run(text: str, count: int) -> None:
            await self._run(text, count, **words)

        await run(_JOB, 1)
        await run(_BATCHES, max(1, slices * SIZE // 1000))
        await run(_SLICES, slices)
        await run(_ITEMS, slices * SIZE)
        if waiting:
            await run(_RETRIES, slices)
            await run(_RUNS, slices)
        return self._jobs

    async def lines(self, job_type: int, job: int, count: int) -> None:
        """Write rejects, duplicates (runs of two lines) and keys, `count` of each."""
        words: dict[str, object] = {"type": job_type, "job": job, "bytes": "bytea", "no": "false"}
        if self._store.dialect is Dialect.SQLITE:
            words |= {"bytes": "BLOB", "no": 0}
        for text in (_REJECTS, _DUPLICATES, _KEYS):
            await self._run(text, count, **words)

    async def _run(self, text: str, count: int, **words: object) -> None:
        numbers = _NUMBERS.format(depth=count).strip()
        await self._store.driver.fetch(statement(text.format(**words, numbers=numbers)))
