"""How far a job is, how fast, and until when. Rates are of the last half minute where a job is looked at again."""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from time import monotonic
from typing import Any

from batchanator.domain.progress import Speed, finished, permille, time_left
from batchanator.store.driver import Row

WINDOW_SECONDS = 30.0
LEAST_SECONDS = 1.0
REMEMBERED = 1000


class Progress:
    """`percent` is null while the total is unknown, and 100 at the end only."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._speeds: OrderedDict[int, Speed] = OrderedDict()

    def of(self, job: Row) -> dict[str, Any]:
        """Return the progress of a row of the view batch_jobs with `now_at`."""
        items = int(job["accepted"]) if job["sealed_at"] is not None else None
        rate, parts = self._rate(job), permille(job, items or None)
        left = time_left(job, items, rate)
        return {
            "percent": None if parts is None else parts / 10,
            "itemsPerSecond": None if rate is None else round(rate, 1),
            "eta": None if left is None else job["now_at"] + left,
        }

    def _rate(self, job: Row) -> float | None:
        if job["started_at"] is None:
            return None
        if job["ended_at"] is not None:
            self._speeds.pop(job["id"], None)
            return _average(job, job["ended_at"])
        recent = self._recent(job)
        return _average(job, job["now_at"]) if recent is None else recent

    def _recent(self, job: Row) -> float | None:
        speed = self._speeds.setdefault(job["id"], Speed(window=WINDOW_SECONDS, least=LEAST_SECONDS))
        self._speeds.move_to_end(job["id"])
        if len(self._speeds) > REMEMBERED:
            self._speeds.popitem(last=False)
        return speed.read(finished(job), at=self._clock())


def _average(job: Row, until: datetime) -> float | None:
    """Return the rate since the start; a job that was reopened has no meaningful one."""
    seconds = (until - job["started_at"]).total_seconds()
    return finished(job) / seconds if seconds > 0 and job["round"] == 1 else None
