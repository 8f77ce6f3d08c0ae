"""How far a job is, from readings of its row: pure, with the time of each reading as an argument."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

WINDOW_SECONDS = 10.0
LONGEST = timedelta(days=3650)
"""Beyond it no end is in sight."""

_ENDED = ("succeeded", "skipped", "dead", "cancelled")


def finished(job: Mapping[str, Any]) -> int:
    return sum(int(job[name]) for name in _ENDED)


def part_read(job: Mapping[str, Any]) -> float | None:
    """Return the part of the source that is read, 1 only when all of it is, None where its size is unknown."""
    if job["sealed_at"] is not None:
        return 1.0
    size = job["source_size"]
    return min(job["source_position"] / size, 0.999) if size else None


def expected_items(job: Mapping[str, Any]) -> int | None:
    """Return how many items the job will have, an estimate until it is sealed, None while nothing tells."""
    accepted: int = job["accepted"]
    if job["sealed_at"] is not None:
        return accepted
    read = part_read(job)
    return round(accepted / read) if read else None


def permille(job: Mapping[str, Any], items: int | None) -> int | None:
    """Return how many of a thousand parts of `items` are done; 1000 only when the job has ended."""
    if job["ended_at"] is not None:
        return 1000
    if items is None:
        return None
    return min(finished(job) * 1000 // items, 999) if items else 0


def time_left(job: Mapping[str, Any], items: int | None, per_second: float | None) -> timedelta | None:
    """Return how long the rest of `items` takes; None where nothing runs, or nothing tells."""
    if items is None or not per_second or job["paused_at"] is not None or job["ended_at"] is not None:
        return None
    seconds = max(items - finished(job), 0) / per_second
    return timedelta(seconds=seconds) if seconds < LONGEST.total_seconds() else None


class _Reading(NamedTuple):
    at: float
    value: int


class Speed:
    """How fast a count grows, over the last `window` seconds; readings less than `least` seconds apart are not kept."""

    __slots__ = ("_least", "_readings", "_window")

    def __init__(self, *, window: float, least: float = 0.0) -> None:
        self._window = window
        self._least = least
        self._readings: deque[_Reading] = deque()

    def read(self, count: int, *, at: float) -> float | None:
        """Return the rate per second up to now; None where there is nothing old enough to compare with."""
        readings = self._readings
        while len(readings) > 1 and at - readings[0].at > self._window:
            readings.popleft()
        rate = None
        if readings and at - readings[0].at >= self._least and at > readings[0].at:
            rate = max(count - readings[0].value, 0) / (at - readings[0].at)
        if not readings or at - readings[-1].at >= self._least:
            readings.append(_Reading(at, count))
        return rate


@dataclass(frozen=True, slots=True)
class Progress:
    """`read` is the part of the source that is read, None where its size is unknown; `items` how many there will be.

    Until the source is read, `items` is what the part that was read makes likely, and `is_estimate` says so. `part` is
    the part of the items that is done, 1 only at the end.
    """

    lines: int
    read: float | None
    done: int
    items: int | None
    is_estimate: bool
    part: float | None
    lines_per_second: float
    items_per_second: float
    eta: timedelta | None


class Meter:
    """Reads one job again and again; its rates are of the last ten seconds."""

    def __init__(self) -> None:
        self._lines = Speed(window=WINDOW_SECONDS)
        self._items = Speed(window=WINDOW_SECONDS)

    def read(self, job: Mapping[str, Any], *, at: float) -> Progress:
        """Return the progress of a row of the view batch_jobs, read at `at` seconds of any steady clock."""
        done, items = finished(job), expected_items(job)
        per_second = self._items.read(done, at=at)
        parts = permille(job, items)
        return Progress(
            job["lines"],
            part_read(job),
            done,
            items,
            job["sealed_at"] is None,
            None if parts is None else parts / 1000,
            self._lines.read(job["lines"], at=at) or 0.0,
            per_second or 0.0,
            time_left(job, items, per_second),
        )
