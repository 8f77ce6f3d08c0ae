"""A finding: what was looked at, what it means for whoever is on call, and what mends it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

Fact = Mapping[str, Any]


class Level(StrEnum):
    OK = "ok"
    NOTE = "note"  # worth knowing, and not broken
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """`mend` says what to do, "" where nothing is to be done."""

    check: str
    level: Level
    text: str
    mend: str = ""


def ok(check: str, text: str) -> Finding:
    return Finding(check, Level.OK, text)


def note(check: str, text: str, mend: str) -> Finding:
    return Finding(check, Level.NOTE, text, mend)


def wrong(check: str, text: str, mend: str) -> Finding:
    return Finding(check, Level.WRONG, text, mend)


def long(span: timedelta) -> str:
    seconds = span.total_seconds()
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
