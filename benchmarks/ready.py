"""The limit of ingestion: rows made beforehand, put into the same tables in the same transactions."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any

import asyncpg

from batchanator.ingest.chunk import Chunk, read_chunks
from batchanator.ingest.ranges import cut_slices
from batchanator.store.sqlite_library import dbapi, journal_mode

CHUNK_SIZE = 1000
CHUNKS = 5
"""Chunks in a transaction: what the product's portions grow to."""
SLICE_SIZE = 50
NEW_TYPE = """INSERT INTO job_types
(name, slice_size, timeout_seconds, max_attempts, backoff_cap_seconds, backoff_jitter)
VALUES ('{name}', 50, 300, 5, 3600, {false})"""
NEW_JOB = """INSERT INTO jobs (job_type_id, name, source_kind, source_name)
SELECT id, 'ready', 'file', 'ready' FROM job_types"""
Rows = list[tuple[object, ...]]
TABLES = {
    "idempotency_keys": ("job_id", "seq", "payload_hash", "job_type_id", "key"),
    "items": ("job_id", "seq", "idempotency_key", "payload"),
    "batches": ("job_id", "number", "first_seq", "last_seq", "total"),
    "slices": ("job_id", "first_seq", "last_seq", "batch", "ordinal", "open"),
}


@dataclass(frozen=True)
class Portion:
    """The rows of one transaction, by table, in the order of TABLES."""

    rows: dict[str, Rows]


def portions(path: Path) -> list[Portion]:
    """Return all rows of a file for the job and the job type with id 1: keys sorted by key, as they must be."""
    with path.open("rb") as file:
        chunks = read_chunks(file, size=CHUNK_SIZE)
        numbers, ordinals = count(1), count()
        return list(iter(lambda: _portion(list(islice(chunks, CHUNKS)), numbers, ordinals), Portion({})))


def _portion(chunks: list[Chunk], numbers: Iterator[int], ordinals: Iterator[int]) -> Portion:
    if not chunks:
        return Portion({})
    rows: dict[str, Rows] = {table: [] for table in TABLES}
    for chunk in chunks:
        number, seqs = next(numbers), chunk.seqs
        fields = list(zip(seqs, chunk.keys, chunk.hashes, chunk.payloads, strict=True))
        rows["idempotency_keys"] += [(1, seq, hashed, 1, key) for seq, key, hashed, _ in fields]
        rows["items"] += [(1, seq, key, payload.decode()) for seq, key, _, payload in fields]
        rows["batches"].append((1, number, seqs[0], seqs[-1], len(seqs)))
        rows["slices"] += [
            (1, cut.first_seq, cut.last_seq, number, next(ordinals), cut.items)
            for cut in cut_slices(seqs, [len(payload) for payload in chunk.payloads], SLICE_SIZE)
        ]
    rows["idempotency_keys"].sort(key=_key)
    return Portion(rows)


def _key(row: tuple[Any, ...]) -> str:
    key: str = row[-1]
    return key


async def copy_ready(url: str, ready: list[Portion]) -> None:
    """COPY every portion in a transaction of its own (PostgreSQL)."""
    connection = await asyncpg.connect(url)
    try:
        for portion in ready:
            async with connection.transaction():
                for table, rows in portion.rows.items():
                    await connection.copy_records_to_table(table, records=rows, columns=TABLES[table])
    finally:
        await connection.close()


def insert_ready(path: Path) -> Callable[[list[Portion]], None]:
    """Return what inserts portions by bare executemany (SQLite), with the pragmas that the product sets."""
    statements = {
        table: f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
        for table, columns in TABLES.items()
    }

    def insert(ready: list[Portion]) -> None:
        connection = dbapi.connect(str(path), isolation_level=None)
        try:
            for pragma in (f"journal_mode = {journal_mode()}", "synchronous = FULL", "cache_size = -65536"):
                connection.execute(f"PRAGMA {pragma}")
            for portion in ready:
                connection.execute("BEGIN IMMEDIATE")
                for table, rows in portion.rows.items():
                    connection.executemany(statements[table], rows)
                connection.execute("COMMIT")
        finally:
            connection.close()

    return insert
