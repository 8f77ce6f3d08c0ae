"""Where the samples leave what a real handler would send: files that can be looked at."""

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile


def outbox(*parts: str) -> Path:
    """Return a directory of the outbox (BATCHANATOR_SAMPLES_OUTBOX, else ./outbox), made if need be."""
    path = Path(os.environ.get("BATCHANATOR_SAMPLES_OUTBOX", "outbox")).joinpath(*parts)
    path.mkdir(parents=True, exist_ok=True)
    return path


def safe_name(idempotency_key: str) -> str:
    """Return a file name for a key, which may hold slashes, blanks or dots of anyone's choosing."""
    return hashlib.sha256(idempotency_key.encode()).hexdigest()[:32]


def write_once(path: Path, content: bytes) -> None:
    """Put a whole file in place, or none: a repeat replaces it by the same, a crash leaves no half of one."""
    with NamedTemporaryFile(dir=path.parent, prefix=".", suffix=".part", delete=False) as temporary:
        temporary.write(content)
    Path(temporary.name).replace(path)


@contextmanager
def transaction(path: Path, schema: str) -> Iterator[sqlite3.Connection]:
    """Open a SQLite file, made with `schema` if need be, for one transaction: all of it or nothing."""
    with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.execute(schema)
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
