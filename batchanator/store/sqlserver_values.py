"""What crosses between SQL Server and the rest: parameters, rows, scripts, errors."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

import msgspec

from batchanator.domain.errors import (
    OutcomeUnknownError,
    StoreError,
    TransientError,
    UnavailableError,
    UniqueError,
)
from batchanator.store.driver import Row, Table
from batchanator.store.parameters import plain
from batchanator.store.statements import Statement

SHORT = 4000  # characters of an nvarchar that is not (max)
ROWS = 1000  # of a bulk statement: from 5000 locks on they would become one of the whole table
# Bytes in the database, text here: as UTF-8, so that no collation touches them. They travel in lists as hexadecimal.
_BYTES_OF_TEXT = {"key", "keys", "idempotency_key", "key_of_item", "payload", "body"}
_TYPES = {
    "raw_cut": "bit",
    "kind": "nvarchar(20)",
    "code": "nvarchar(200)",
    "pointer": "nvarchar(max)",
    "message": "nvarchar(max)",
}
_HEXADECIMAL = {"idempotency_key", "key", "payload", "raw"}
_KINDS = {bool: "bit", int: "bigint", float: "float", datetime: "datetime2(6)", bytes: "varbinary(max)"}
_UNIQUE = {2627, 2601}
_TRANSIENT = {1205, 1222, 3960, 3961}
# Login, a database that is not there, read-only or not ready, and what Azure says while it moves or throttles one.
_UNAVAILABLE = {
    18456,
    18452,
    4060,
    3906,
    976,
    978,
    983,
    927,
    40197,
    40501,
    40613,
    10928,
    10929,
    49918,
    49919,
    49920,
}
_STATES = ("08", "HYT", "28000", "01002")
_NUMBER = re.compile(r"\((\d+)\)")
_GO = re.compile(r"^GO\s*$", re.MULTILINE | re.IGNORECASE)


class Bound(NamedTuple):
    """One run of a batch: its text with `?` marks, and their values."""

    text: str
    values: tuple[Any, ...]


def bind(statement: Statement, parameters: Mapping[str, object], *, within: bool) -> Bound:
    """Return a statement as one batch. Its own transaction ends before the last step, unless it runs `within` one.

    Each parameter becomes a variable of the batch, so that it stands in the text once and its type is always the same.
    """
    names = [parameter.name for parameter in statement.sqlserver.parameters]
    values = [_value(parameters[name], name) for name in names]
    types = tuple(_type(value, parameters[name]) for name, value in zip(names, values, strict=True))
    return Bound(_batch(statement, types, within), tuple(values))


@cache
def _batch(statement: Statement, types: tuple[str, ...], within: bool) -> str:
    declared = ", ".join(
        f"@{parameter.name} {kind} = ?"
        for parameter, kind in zip(statement.sqlserver.parameters, types, strict=True)
    )
    head = f"DECLARE {declared};\n" if declared else ""
    *before, last = (step.rstrip(";") + ";" for step in statement.sqlserver.steps)
    if before and not within:
        before = ["BEGIN TRANSACTION;", *before, "COMMIT TRANSACTION;"]
    return head + "\n".join([*before, last])


def _type(value: Any, given: object) -> str:
    if isinstance(value, str) and (isinstance(given, list | tuple) or len(value) > SHORT // 2):
        return "nvarchar(max)"
    return _KINDS.get(type(value), f"nvarchar({SHORT})")


def _value(value: Any, name: str) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None)
    if isinstance(value, timedelta):
        return plain(value)
    if isinstance(value, list | tuple):
        return msgspec.json.encode([_listed(row, name) for row in value]).decode()
    return value


def _listed(row: Any, name: str) -> Any:
    if hasattr(row, "_fields"):
        return {field: _cell(value, field) for field, value in zip(row._fields, row, strict=True)}
    return _cell(row, name)


def _cell(value: Any, name: str) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return value.encode().hex() if name in _BYTES_OF_TEXT and isinstance(value, str) else plain(value)


def rows_from(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[Row]:
    """Return mappings: instants are aware, keys and payloads are text again."""
    kinds = [_kind(name) for name in names]
    return [
        {
            name: kind(value) if kind and value is not None else value
            for name, kind, value in zip(names, kinds, row, strict=True)
        }
        for row in rows
    ]


def _kind(name: str) -> Any:
    if name.endswith(("_at", "_until")):
        return _aware
    if name == "keys":
        return _keys
    return _text if name in _BYTES_OF_TEXT else _whole


def _aware(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC)


def _keys(value: str) -> list[str]:
    return [bytes.fromhex(key).decode() for key in value.split(",")]


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, Decimal) and value == value.to_integral_value() else value


@cache
def insert_of(table: Table) -> str:
    """Return the statement that inserts a JSON text of rows (arrays) into a table."""
    types = ", ".join(
        f"c{i} {'varchar(max)' if name in _HEXADECIMAL else _TYPES.get(name, 'bigint')} '$[{i}]'"
        for i, name in enumerate(table.columns)
    )
    values = ", ".join(
        f"CONVERT(varbinary(max), c{i}, 2)" if name in _HEXADECIMAL else f"c{i}"
        for i, name in enumerate(table.columns)
    )
    columns = ", ".join(f"[{name}]" for name in table.columns)
    return (
        f"DECLARE @rows nvarchar(max) = ?;\nINSERT INTO {table.name} ({columns})\n"
        f"SELECT {values} FROM OPENJSON(@rows) WITH ({types})"
    )


def json_rows(table: Table, rows: Sequence[tuple[object, ...]]) -> str:
    return msgspec.json.encode(
        [[_cell(value, name) for name, value in zip(table.columns, row, strict=True)] for row in rows]
    ).decode()


def batches_of(script: str) -> list[str]:
    return [part for part in _GO.split(script) if part.strip()]


def translate(error: Exception, *, committing: bool = False) -> StoreError:
    """Return our error for one of pyodbc's; `committing`: a lost connection leaves the outcome unknown."""
    if isinstance(error, StoreError):
        return error
    state, text = (str(error.args[0]), str(error.args[-1])) if error.args else ("", type(error).__name__)
    numbers = {int(number) for number in _NUMBER.findall(text)}
    text = f"SQL Server: {text.rpartition(']')[2].strip() or text}"
    if numbers & _UNIQUE:
        return UniqueError(text)
    if numbers & _TRANSIENT or state == "40001":
        return TransientError(text)
    if numbers & _UNAVAILABLE or state.startswith(_STATES):
        lost = committing and state.startswith(("08", "HYT"))
        return OutcomeUnknownError(text) if lost else UnavailableError(text)
    return StoreError(text)
