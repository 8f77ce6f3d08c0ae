"""What crosses between SQLite and the rest: parameters, rows, scripts, errors."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from batchanator.domain.errors import StoreError, UnavailableError, UniqueError
from batchanator.store.driver import Row, Values
from batchanator.store.parameters import from_micros, sqlite_value
from batchanator.store.sqlite_library import dbapi
from batchanator.store.statements import Statement

ERRORS = (dbapi.Error, ValueError)
_NO_DATABASE = re.compile(r"not a database|malformed|unsupported file format", re.IGNORECASE)
_UNAVAILABLE = re.compile(r"locked|busy|full|disk i/o|readonly|unable to open|closed", re.IGNORECASE)


def translate(error: Exception) -> StoreError:
    """Return our error for one of the library's, or of aiosqlite's (ValueError: the connection is closed)."""
    text = str(error) or type(error).__name__
    if isinstance(error, StoreError):
        return error
    if isinstance(error, dbapi.IntegrityError) and "UNIQUE" in text:
        return UniqueError(text)
    if _UNAVAILABLE.search(text) or isinstance(error, ValueError):
        return UnavailableError(f"SQLite: {text}")
    return StoreError(f"SQLite: {text}")


def not_opened(error: Exception, path: Path) -> StoreError:
    """Return our error for a file that could not be opened; to try again helps only where it may still become one."""
    text = f"SQLite: {error}: {path.name}"
    return StoreError(text) if path.is_dir() or _NO_DATABASE.search(text) else UnavailableError(text)


def bind(statement: Statement, parameters: Mapping[str, object]) -> dict[str, Any]:
    wanted = {parameter.name for parameter in statement.sqlite.parameters}
    return {name: sqlite_value(value) for name, value in parameters.items() if name in wanted}


def rows_from(names: Sequence[str], rows: Sequence[Values]) -> list[Row]:
    """Return mappings; instants (names ending in _at or _until) become aware datetimes."""
    instants = [i for i, name in enumerate(names) if name.endswith(("_at", "_until"))]
    if not instants:
        return [dict(zip(names, row, strict=True)) for row in rows]
    out: list[Row] = []
    for row in rows:
        values = list(row)
        for i in instants:
            if values[i] is not None:
                values[i] = from_micros(values[i])
        out.append(dict(zip(names, values, strict=True)))
    return out


def commands_of(script: str) -> list[str]:
    """Split a script: executescript would commit the transaction that it stands in."""
    out, pending = [], ""
    for piece in re.split(r"(?<=;)", script):
        pending += piece
        if dbapi.complete_statement(pending):
            out.append(pending)
            pending = ""
    return [*out, pending] if pending.strip() else out


def quoted(path: Path) -> str:
    """Return a path as it stands in a `file:` URI."""
    return str(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
