"""How parameters cross into a database: datetimes, lists of named tuples, JSON."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from batchanator.store.statements import Parameter

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(value: datetime) -> int:
    return (value - _EPOCH) // _MICROSECOND


def from_micros(value: int) -> datetime:
    return _EPOCH + timedelta(microseconds=value)


def as_list(value: Any) -> list[Any]:
    """Return an aggregated column as a list: PostgreSQL gives arrays, SQLite JSON text, both NULL for none."""
    if value is None:
        return []
    return msgspec.json.decode(value) if isinstance(value, str) else list(value)


def columns_of(parameters: tuple[Parameter, ...], given: Mapping[str, object]) -> list[object]:
    """Return the arguments in the order of `$1 …`: scalars, and columns of lists of named tuples."""
    out: list[object] = []
    for parameter in parameters:
        value = given[parameter.name]
        if parameter.column is None:
            out.append(value)
        else:
            rows: Sequence[NamedTuple] = value  # type: ignore[assignment]
            if not rows:
                out.append([])
                continue
            index = type(rows[0])._fields.index(parameter.column)
            out.append([row[index] for row in rows])
    return out


def changed(changes: Mapping[str, object], names: Sequence[str]) -> dict[str, object]:
    """Return `x` and `sets_x` for each name: what an UPDATE sets, and whether it does."""
    unknown = changes.keys() - set(names)
    assert not unknown, unknown
    given: dict[str, object] = {}
    for name in names:
        given[name] = changes.get(name)
        given[f"sets_{name}"] = name in changes
    return given


def plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return to_micros(value)
    if isinstance(value, timedelta):
        return value // _MICROSECOND
    return value


def sqlite_value(value: Any) -> Any:
    """Return what SQLite binds: instants and durations as microseconds, lists as JSON text."""
    if isinstance(value, datetime | timedelta):
        return plain(value)
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, list | tuple):
        return msgspec.json.encode(
            [
                {name: plain(item) for name, item in zip(row._fields, row, strict=True)}
                if hasattr(row, "_fields")
                else plain(row)
                for row in value
            ]
        ).decode()
    return value
