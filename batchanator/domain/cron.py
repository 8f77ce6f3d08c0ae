"""Cron expressions: which instants they name. Pure: the instant to start from comes in, always in UTC.

Five fields, minute to day of week; weekdays 0 and 7 are Sunday; where both day fields are restricted, either one is
enough. At a change of the clock, an expression whose minute and hour are both fixed times (`30 2 * * *`) runs once:
in the hour that is skipped at its end, in the one that comes twice the first time. One that begins its minute or its
hour with `*` means intervals, and names every real instant at which the clock on the wall fits.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from itertools import islice

from cronsim import CronSim, CronSimError

_FIELDS = ("minute", "hour", "day of month", "month", "day of week")
_NAMES = {
    "month": re.compile("JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC", re.IGNORECASE),
    "day of week": re.compile("SUN|MON|TUE|WED|THU|FRI|SAT", re.IGNORECASE),
}
_SIGNS = re.compile(r"[0-9*,/-]*", re.ASCII)
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_FAR_BACK = timedelta(days=60 * 366)
_LEAP = datetime(2024, 1, 1)  # noqa: DTZ001 - a calendar without a zone


@dataclass(frozen=True, slots=True)
class Expression:
    """A valid expression. Raises ValueError, which says what is wrong with it."""

    text: str
    _fixed: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        fields = self.text.split()
        if len(fields) != len(_FIELDS):
            raise ValueError(f"must have five fields like */5 * * * *, not {self.text!r}")
        for name, value in zip(_FIELDS, fields, strict=True):
            bare = _NAMES[name].sub("0", value) if name in _NAMES else value
            if not _SIGNS.fullmatch(bare):  # L, W, # and ? are other programs' cron
                raise ValueError(f"has a {name} that is no part of cron: {value!r}")
        object.__setattr__(self, "text", " ".join(fields))
        object.__setattr__(self, "_fixed", not fields[0].startswith("*") and not fields[1].startswith("*"))
        try:
            comes = next(CronSim(self.text, _LEAP), None)
        except CronSimError as error:
            name = str(error).removeprefix("Bad ").replace("-", " ")
            raise ValueError(f"has a {name} that is wrong or never comes: {self.text!r}") from None
        if comes is None:
            raise ValueError(f"names a date that never comes: {self.text!r}")

    def __str__(self) -> str:
        return self.text

    def following(self, after: datetime, zone: tzinfo) -> Iterator[datetime]:
        """Yield the instants after `after`, in UTC."""
        at: datetime | None = after.astimezone(UTC).replace(microsecond=0)
        while at is not None:
            at = self._next_fixed(at, zone) if self._fixed else self._next_fitting(at, zone)
            if at is not None:
                yield at

    def next(self, after: datetime, zone: tzinfo) -> datetime | None:
        return next(self.following(after, zone), None)

    def upcoming(self, after: datetime, zone: tzinfo, count: int) -> list[datetime]:
        return list(islice(self.following(after, zone), count))

    def latest(self, until: datetime, zone: tzinfo, *, after: datetime | None = None) -> datetime | None:
        """Return the last instant up to and including `until` that is after `after`; None where there is none."""
        low, high = (until - _FAR_BACK if after is None else after), until
        found, at = None, self.next(low, zone)
        while at is not None and at <= until:
            found = low = at
            middle = low + (high - low) / 2
            at = self.next(middle, zone)
            if at is None or at > until:
                high, at = middle, self.next(low, zone)
        return found

    def _next_fixed(self, at: datetime, zone: tzinfo) -> datetime | None:
        for local in CronSim(self.text, at.astimezone(zone)):
            instant = local.astimezone(UTC)
            if instant > at:  # in the repeated hour the first time may be over already
                return instant
        return None

    def _next_fitting(self, at: datetime, zone: tzinfo) -> datetime | None:
        """Look from change to change of the zone's offset, between which the clock on the wall is steady."""
        while True:
            offset = _offset(at, zone)
            local = next(CronSim(self.text, at.astimezone(timezone(offset))), None)
            if local is None:
                return None
            instant = local.astimezone(UTC)
            change = _change(at, instant, zone)
            if change is None:
                return instant
            if self._fits(change, zone):
                return change
            at = change

    def _fits(self, at: datetime, zone: tzinfo) -> bool:
        steady = at.astimezone(timezone(_offset(at, zone)))
        return next(CronSim(self.text, steady - _SECOND), None) == steady


def _offset(at: datetime, zone: tzinfo) -> timedelta:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None
    return offset


def _change(start: datetime, end: datetime, zone: tzinfo) -> datetime | None:
    """Return, of whole seconds, the first in (start, end] at which the zone's offset is another than at `start`."""
    offset, low = _offset(start, zone), start
    high = min(low + _DAY, end)
    while _offset(high, zone) == offset:
        if high == end:
            return None
        low, high = high, min(high + _DAY, end)
    while high - low > _SECOND:
        middle = low + (high - low) // 2 // _SECOND * _SECOND
        low, high = (middle, high) if _offset(middle, zone) == offset else (low, middle)
    return high
