"""How far a job is, how fast, and until when. Rates are of the last half minute where a job is looked at again."""

from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, NamedTuple

from batchanator.store.driver import Row

WINDOW_SECONDS = 30.0
LEAST_SECONDS = 1.0
REMEMBERED = 1000
_LONGEST = timedelta(days=3650)
DONE = ("succeeded", "skipped", "dead", "cancelled")


class _Reading(NamedTuple):
    at: float
    done: int


class Progress:
    """`percent` is null while the total is unknown, and 100 at the end only."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._readings: OrderedDict[int, deque[_Reading]] = OrderedDict()

    def of(self, job: Row) -> dict[str, Any]:
        """Return the progress of a row of the view batch_jobs with `now_at`."""
        done = sum(int(job[name]) for name in DONE)
        rate = self._rate(job, done)
        return {
            "percent": _percent(job, done),
            "itemsPerSecond": None if rate is None else round(rate, 1),
            "eta": _eta(job, int(job["accepted"]) - done, rate),
        }

    def _rate(self, job: Row, done: int) -> float | None:
        if job["started_at"] is None:
            return None
        if job["ended_at"] is not None:
            self._readings.pop(job["id"], None)
            return _average(job, done, job["ended_at"])
        recent = self._recent(job["id"], done)
        return _average(job, done, job["now_at"]) if recent is None else recent

    def _recent(self, job_id: int, done: int) -> float | None:
        now = self._clock()
        readings = self._readings.setdefault(job_id, deque())
        self._readings.move_to_end(job_id)
        if len(self._readings) > REMEMBERED:
            self._readings.popitem(last=False)
        while len(readings) > 1 and now - readings[0].at > WINDOW_SECONDS:
            readings.popleft()
        rate = None
        if readings and now - readings[0].at >= LEAST_SECONDS:
            rate = max(done - readings[0].done, 0) / (now - readings[0].at)
        if not readings or now - readings[-1].at >= LEAST_SECONDS:
            readings.append(_Reading(now, done))
        return rate


def _average(job: Row, done: int, until: datetime) -> float | None:
    """Return the rate since the start; a job that was reopened has no meaningful one."""
    seconds = (until - job["started_at"]).total_seconds()
    return done / seconds if seconds > 0 and job["round"] == 1 else None


def _percent(job: Row, done: int) -> float | None:
    if job["ended_at"] is not None:
        return 100.0
    total = int(job["accepted"])
    if job["sealed_at"] is None or not total:
        return None
    return min(done * 1000 // total / 10, 99.9)


def _eta(job: Row, left: int, rate: float | None) -> datetime | None:
    if job["ended_at"] is not None or job["paused_at"] is not None or job["sealed_at"] is None or not rate:
        return None
    wait = left / rate
    return job["now_at"] + timedelta(seconds=wait) if wait < _LONGEST.total_seconds() else None
