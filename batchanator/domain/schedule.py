"""What a scheduler has to do about a job of its schedule now. Pure: the clock and what is on record come in."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Literal

from batchanator.domain.cron import Expression

OnMissed = Literal["RunOnce", "Skip"]
ON_TIME = timedelta(minutes=1)
"""A time that is longer ago than this was missed: nobody was there to run it."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When something runs. `zone_name` is what people call `zone`; `on_missed`: of missed times, the latest or none."""

    name: str
    expression: Expression
    zone: tzinfo
    zone_name: str
    on_missed: OnMissed = "RunOnce"

    def upcoming(self, after: datetime, count: int) -> list[datetime]:
        return self.expression.upcoming(after, self.zone, count)


@dataclass(frozen=True, slots=True)
class Run:
    """Run for `at`, which is due."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Skip:
    """Put on record that `at` was not run, so that it is not looked at again."""

    at: datetime
    reason: Literal["missed", "first seen"]


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is due until `until`; None: nothing ever again."""

    until: datetime | None


def decide(schedule: Schedule, *, latest: datetime | None, now: datetime) -> Run | Skip | Wait:
    """Return what to do; `latest` is the latest time of this name on record, whatever came of it.

    A name without a record has missed nothing: its last time is put on record, so that from here on what is missed is
    known, even by processes that start later. A record from the future (a clock that was set back) is waited for.
    """
    at = schedule.expression.latest(now, schedule.zone, after=latest)
    if at is None:
        return Wait(schedule.expression.next(max(now, latest or now), schedule.zone))
    if latest is None:
        return Skip(at, "first seen")
    if now - at > ON_TIME and schedule.on_missed == "Skip":
        return Skip(at, "missed")
    return Run(at)
