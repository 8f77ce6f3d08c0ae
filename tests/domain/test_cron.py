"""Cron expressions name the instants that POSIX cron names, and what happens at a change of the clock is as stated."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from itertools import takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from batchanator.domain.cron import Expression

MINUTE = timedelta(minutes=1)
BERLIN = ZoneInfo("Europe/Berlin")
# Gaps and folds of an hour at two, of half an hour, of two hours, at midnight, twice within a month.
ZONES = (
    *("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Africa/Cairo"),
    *("Asia/Beirut", "Africa/Casablanca", "Antarctica/Troll", "Pacific/Chatham", "Asia/Kathmandu"),
)
INTERVALS = ("*/15 * * * *", "*/10 3 * * *", "*/30 0 * * *", "5 * * * *", "0 */2 * * *", "*/20 1-2 * * 0")
FIXED = ("30 2 * * *", "0,30 2 * * *", "0 0 * * *", "15 1,2,3 * * *", "59 23 * * *", "30 0 1 * *")


def at(text: str, zone: tzinfo = UTC) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def between(text: str, start: datetime, end: datetime, zone: tzinfo) -> list[datetime]:
    return list(takewhile(lambda one: one <= end, Expression(text).following(start, zone)))


def local(times: list[datetime], zone: tzinfo) -> list[str]:
    return [f"{one.astimezone(zone):%d %H:%M%z}" for one in times]


def offset(one: datetime, zone: tzinfo) -> timedelta:
    found = one.astimezone(zone).utcoffset()
    assert found is not None
    return found


@cache
def changes(zone: tzinfo) -> list[datetime]:
    """Return the minutes of 2024 to 2030 at which a zone's offset is another than a minute before."""
    found, hour = [], at("2024-01-01")
    while hour < at("2031-01-01"):
        later = hour + timedelta(hours=6)
        if offset(later, zone) != offset(hour, zone):
            steps = (hour + MINUTE * n for n in range(1, 361))
            found.append(next(one for one in steps if offset(one, zone) != offset(one - MINUTE, zone)))
        hour = later
    return found


def walls(text: str, start: datetime, end: datetime) -> list[datetime]:
    """Return what a clock on a wall that is never changed names in [start, end)."""
    steady = between(text, start.replace(tzinfo=UTC) - MINUTE, end.replace(tzinfo=UTC) - MINUTE, UTC)
    return [one.replace(tzinfo=None) for one in steady]


def fits(text: str, wall: datetime) -> bool:
    """Whether a clock on a wall names a minute, by a calendar that knows of no zones."""
    steady = wall.replace(tzinfo=UTC)
    return Expression(text).next(steady - MINUTE, UTC) == steady


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("text", INTERVALS)
def test_an_interval_names_every_real_instant_at_which_the_clock_fits(name: str, text: str) -> None:
    zone = ZoneInfo(name)
    for change in [*changes(zone)[:5], at("2025-06-15")]:
        start = change - timedelta(hours=4)
        minutes = [start + MINUTE * n for n in range(1, 481)]
        wanted = [one for one in minutes if fits(text, one.astimezone(zone).replace(tzinfo=None))]
        assert between(text, start, minutes[-1], zone) == wanted, change


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("text", FIXED)
def test_a_fixed_time_runs_once_a_day_whatever_the_clock_does(name: str, text: str) -> None:
    """In the gap at its end (several in one gap: once), in the fold the first time."""
    zone = ZoneInfo(name)
    for change in [*changes(zone), at("2025-06-15")]:
        day = change.astimezone(zone).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
        start, end = day - timedelta(days=1), day + timedelta(days=2)
        wanted = set()
        for wall in walls(text, start, end):
            meant = wall
            while meant.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != meant:
                meant += MINUTE
            wanted.add(meant.replace(tzinfo=zone).astimezone(UTC))
        first = start.replace(tzinfo=zone).astimezone(UTC) - MINUTE
        last = (end - MINUTE).replace(tzinfo=zone, fold=1).astimezone(UTC)
        assert between(text, first, last, zone) == sorted(wanted), change


def test_in_berlin() -> None:
    spring, autumn = at("2026-03-28 12:00"), at("2026-10-24 12:00")
    assert local(Expression("30 2 * * *").upcoming(spring, BERLIN, 2), BERLIN) == [
        "29 03:00+0200",
        "30 02:30+0200",
    ]
    assert local(Expression("30 2 * * *").upcoming(autumn, BERLIN, 2), BERLIN) == [
        "25 02:30+0200",
        "26 02:30+0100",
    ]
    assert local(Expression("*/30 * * * *").upcoming(at("2026-10-25 00:00"), BERLIN, 4), BERLIN) == [
        *("25 02:30+0200", "25 02:00+0100", "25 02:30+0100", "25 03:00+0100"),
    ]
    assert local(Expression("*/30 2 * * *").upcoming(spring, BERLIN, 1), BERLIN) == ["30 02:00+0200"]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("0 0 * * 0", ["2026-01-04", "2026-01-11"]),
        ("0 0 * * 7", ["2026-01-04", "2026-01-11"]),
        ("0 0 * * sun", ["2026-01-04", "2026-01-11"]),
        ("0 0 * * 1-5", ["2026-01-02", "2026-01-05"]),
        ("0 0 * * 5-7", ["2026-01-02", "2026-01-03"]),
        ("0 0 13 * 5", ["2026-01-02", "2026-01-09", "2026-01-13", "2026-01-16"]),
        ("0 0 13 * *", ["2026-01-13", "2026-02-13"]),
        ("0 0 29 2 *", ["2028-02-29", "2032-02-29"]),
        ("0 0 30 2 1", ["2026-02-02", "2026-02-09"]),
        ("0 0 31 JAN-MAR *", ["2026-01-31", "2026-03-31"]),
    ],
)
def test_sunday_is_0_and_7_and_either_day_field_is_enough(text: str, days: list[str]) -> None:
    found = Expression(text).upcoming(at("2026-01-01 12:00"), UTC, len(days))
    assert [f"{one:%Y-%m-%d}" for one in found] == days


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("* * * *", "five fields"),
        ("0 0 0 * * *", "five fields"),
        ("@daily", "five fields"),
        ("", "five fields"),
        ("0 0 30 2 *", "day of month that is wrong or never comes"),
        ("0 0 31 2,4 *", "day of month that is wrong or never comes"),
        ("0 0 30 2 */2", "day of month that is wrong or never comes"),
        ("0 0 0 * *", "day of month that is wrong"),
        ("60 * * * *", "minute that is wrong"),
        ("*/0 * * * *", "minute that is wrong"),
        ("5-1 * * * *", "minute that is wrong"),
        ("1,,2 * * * *", "minute that is wrong"),
        ("-1 * * * *", "minute that is wrong"),
        ("0 24 * * *", "hour that is wrong"),
        ("0 0 * 13 *", "month that is wrong"),
        ("0 0 * * 8", "day of week that is wrong"),
        ("0 0 L * *", "day of month that is no part of cron"),
        ("0 0 LW * *", "day of month that is no part of cron"),
        ("0 0 * * MON#2", "day of week that is no part of cron"),
        ("0 0 * * 5L", "day of week that is no part of cron"),
        ("0 0 ? * 1", "day of month that is no part of cron"),
        ("\u0663 * * * *", "minute that is no part of cron"),
        ("0 0 MON * *", "day of month that is no part of cron"),
    ],
)
def test_what_is_not_five_fields_of_cron_or_never_comes_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Expression(text)


FIELDS = (
    st.sampled_from(["*", "*/5", "0", "17", "0,30", "10-20", "59"]),
    st.sampled_from(["*", "*/2", "2", "0,12", "9-17", "23"]),
    st.sampled_from(["*", "1", "13", "29", "31", "1-7"]),
    st.sampled_from(["*", "1", "2,3", "6-8", "12"]),
    st.sampled_from(["*", "0", "7", "1-5", "sat"]),
)
EXPRESSIONS = st.tuples(*FIELDS).map(" ".join)
INSTANTS = st.integers(0, 6 * 365 * 86_400 * 1_000_000).map(
    lambda micros: at("2024-01-01") + timedelta(microseconds=micros)
)


def valid(text: str) -> Expression | None:
    try:
        return Expression(text)
    except ValueError:
        return None


@settings(deadline=None)
@given(EXPRESSIONS, INSTANTS, st.sampled_from(ZONES))
def test_times_are_whole_minutes_that_follow_each_other(text: str, now: datetime, name: str) -> None:
    expression = valid(text)
    if expression is None:
        return
    times = expression.upcoming(now, ZoneInfo(name), 5)
    assert len(times) == 5
    assert all(one.second == one.microsecond == 0 for one in times)
    assert [now, *times] == sorted({now, *times})
    assert all(one.tzinfo is UTC for one in times)


@settings(deadline=None)
@given(EXPRESSIONS, INSTANTS, st.sampled_from(ZONES))
@example("* 2 1 12 7", at("2028-09-04") + timedelta(microseconds=1), "Africa/Cairo")
def test_the_latest_time_is_the_one_before_the_next_whenever_one_looks(
    text: str, now: datetime, name: str
) -> None:
    expression, zone = valid(text), ZoneInfo(name)
    if expression is None:
        return
    first, second = expression.upcoming(now, zone, 2)
    assert expression.latest(first, zone) == first
    assert expression.latest(second - timedelta(microseconds=1), zone) == first
    assert expression.latest(second, zone, after=first) == second
    assert expression.latest(second - timedelta(microseconds=1), zone, after=first) is None
    assert expression.latest(first, zone, after=first) is None
    before = expression.latest(now, zone)
    assert before is not None
    assert before <= now
    assert expression.next(before, zone) == first


def test_a_zone_of_a_fixed_offset_has_no_changes() -> None:
    found = Expression("0 0 * * *").next(at("2026-01-01 12:00"), timezone(timedelta(hours=-5, minutes=-30)))
    assert found == at("2026-01-02 05:30")
