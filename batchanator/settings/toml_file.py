"""Read a TOML file and find, as well as one can without a parser's help, the line of each key."""

import re
import tomllib
from collections import Counter
from typing import Any

from batchanator.domain.errors import SettingsError
from batchanator.settings.entries import Entry, printable

_Path = tuple[str | int, ...]

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*([\w.\"' -]+?)\s*=")
_PART = re.compile(r"\"([^\"]*)\"|'([^']*)'|([^.\s\"']+)")


def read_toml(text: str, label: str) -> Entry:
    """Return the file's root section. Raises SettingsError, one line."""
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(printable(f"{label}: not valid TOML: {error}")) from None
    return _entry(tree, (), _lines(text), label, label)


def _entry(value: Any, path: _Path, lines: dict[_Path, int], label: str, origin: str) -> Entry:
    if path in lines:
        origin = f"{label} line {lines[path]}"
    match value:
        case dict():
            parts = {name: _entry(part, (*path, name), lines, label, origin) for name, part in value.items()}
            return Entry(parts, origin)
        case list():
            return Entry(
                [_entry(part, (*path, n), lines, label, origin) for n, part in enumerate(value)], origin
            )
        case _:
            return Entry(value, origin)


def _lines(text: str) -> dict[_Path, int]:
    """Return the line of each header and key. An inline table's keys have none: theirs is their parent's."""
    lines: dict[_Path, int] = {}
    prefix: _Path = ()
    seen: Counter[_Path] = Counter()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            prefix = _parts(header[2])
            if header[1] == "[[":
                seen[prefix] += 1
                prefix = (*prefix, seen[prefix] - 1)
            lines.setdefault(prefix, number)
        elif key := _KEY.match(line):
            lines.setdefault((*prefix, *_parts(key[1])), number)
    return lines


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part[1] or part[2] or part[3] for part in _PART.finditer(dotted))
