"""How far a job is, from readings of its row: pure, with the time of each reading as an argument."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

WINDOW_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Progress:
    """`read` is the part of the source that is read, None where its size is unknown; `items` how many there will be.

    Until the source is read, `items` is what the part that was read makes likely, and `is_estimate` says so.
    """

    lines: int
    read: float | None
    done: int
    items: int | None
    is_estimate: bool
    lines_per_second: float
    items_per_second: float
    eta: timedelta | None

    @property
    def part(self) -> float | None:
        """The part of the items that is done; 1 only at the end."""
        if self.items is None:
            return None
        if not self.items:
            return 0.0 if self.is_estimate else 1.0
        return min(self.done / self.items, 0.999 if self.is_estimate else 1.0)


class _Reading(NamedTuple):
    at: float
    lines: int
    done: int


class Meter:
    """Rates over the last ten seconds."""

    def __init__(self) -> None:
        self._readings: deque[_Reading] = deque()

    def read(self, job: Mapping[str, Any], *, at: float) -> Progress:
        """Return the progress of a row of the view batch_jobs, read at `at` seconds of any steady clock."""
        done = finished(job)
        self._readings.append(_Reading(at, job["lines"], done))
        while at - self._readings[0].at > WINDOW_SECONDS and len(self._readings) > 2:
            self._readings.popleft()
        first = self._readings[0]
        elapsed = at - first.at
        lines_per_second = max(job["lines"] - first.lines, 0) / elapsed if elapsed else 0.0
        per_second = max(done - first.done, 0) / elapsed if elapsed else 0.0
        read, items, sealed = part_read(job), expected_items(job), job["sealed_at"] is not None
        eta = None
        if items is not None and per_second and job["paused_at"] is None and job["ended_at"] is None:
            eta = timedelta(seconds=max(items - done, 0) / per_second)
        return Progress(job["lines"], read, done, items, not sealed, lines_per_second, per_second, eta)


def finished(job: Mapping[str, Any]) -> int:
    return int(job["succeeded"] + job["skipped"] + job["dead"] + job["cancelled"])


def part_read(job: Mapping[str, Any]) -> float | None:
    if job["sealed_at"] is not None:
        return 1.0
    size = job["source_size"]
    return min(job["source_position"] / size, 0.999) if size else None


def expected_items(job: Mapping[str, Any]) -> int | None:
    """Return how many items the job will have, None while nothing tells."""
    accepted: int = job["accepted"]
    if job["sealed_at"] is not None:
        return accepted
    read = part_read(job)
    return round(accepted / read) if read else None
