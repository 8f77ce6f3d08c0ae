"""Settings as they were given: a tree that remembers where each value was written."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from batchanator.domain.errors import SettingsError
from batchanator.domain.masking import escape_controls


@dataclass(frozen=True, slots=True)
class Entry:
    """A value and its place.

    `value` is a scalar, a list, a dict by written name or, once bound, a dict by position for a list.
    `replaces` says that the value takes the place of a lower layer's as a whole, as a list in one piece does.
    """

    value: Any
    origin: str
    name: str = ""
    replaces: bool = False
    splits: bool = False


def refuse(entry: Entry, problem: str) -> SettingsError:
    """Return the error for a value: one line with its place, its name and what is wrong."""
    subject = f"{entry.name} {problem}" if entry.name else problem
    return SettingsError(printable(f"{entry.origin}: {subject}"))


def printable(text: str) -> str:
    """Return `text` on one line, with everything that a terminal might act upon written as an escape."""
    return escape_controls(" ".join(text.split()))


def fold(name: str) -> str:
    """Return the form in which names are compared: `ChunkSize`, `chunksize` and `chunk_size` are one."""
    return name.replace("_", "").lower()


def nearest(name: str, known: Iterable[str]) -> str:
    folded = {fold(one): one for one in known}
    return folded[difflib.get_close_matches(fold(name), folded, n=1, cutoff=0.0)[0]]


def merge(low: Entry, high: Entry) -> Entry:
    """Lay `high` over `low`, name by name; names of a mapping meet whatever their case, as .NET has it."""
    if high.replaces or not isinstance(low.value, dict) or not isinstance(high.value, dict):
        return high
    merged = dict(low.value)
    cases = {name.lower(): name for name in merged if isinstance(name, str)}
    for written, entry in high.value.items():
        name = cases.get(written.lower(), written) if isinstance(written, str) else written
        merged[name] = merge(merged[name], entry) if name in merged else entry
    return replace(low, value=merged)


def plain(entry: Entry) -> Any:
    """Return the bare values; a null is a setting that was not given."""
    match entry.value:
        case dict() as parts:
            given = {name: part for name, part in parts.items() if part.value is not None}
            if given and all(isinstance(name, int) for name in given):
                return [plain(given[position]) for position in sorted(given)]
            return {name: plain(part) for name, part in given.items()}
        case list() as parts:
            return [plain(part) for part in parts]
        case scalar:
            return scalar


def locate(entry: Entry, path: Iterable[str | int]) -> tuple[Entry, list[str | int]]:
    """Follow `path` through the bare values to the deepest entry; return it and what is left."""
    left = list(path)
    while left and isinstance(entry.value, dict):
        step: str | int = left[0]
        if isinstance(step, int):
            positions = sorted(n for n, part in entry.value.items() if part.value is not None)
            step = positions[step] if step < len(positions) else step
        if step not in entry.value:
            break
        entry = entry.value[step]
        left.pop(0)
    return entry, left
