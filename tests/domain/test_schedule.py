"""What is due, missed and to come, decided from the clock and what is on record."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchanator.domain.cron import Expression
from batchanator.domain.schedule import ON_TIME, OnMissed, Run, Schedule, Skip, Wait, decide

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)


def hourly(on_missed: OnMissed = "RunOnce") -> Schedule:
    return Schedule("hourly", Expression("0 * * * *"), UTC, "UTC", on_missed)


@pytest.mark.parametrize("late", [timedelta(0), TICK, ON_TIME])
@pytest.mark.parametrize("on_missed", ["RunOnce", "Skip"])
def test_what_is_due_is_run_for_its_own_time_however_late_one_looks(
    on_missed: OnMissed, late: timedelta
) -> None:
    assert decide(hourly(on_missed), latest=NOON - HOUR, now=NOON + late) == Run(NOON)


def test_what_is_on_record_is_not_run_again() -> None:
    assert decide(hourly(), latest=NOON, now=NOON) == Wait(NOON + HOUR)
    assert decide(hourly(), latest=NOON, now=NOON + HOUR - TICK) == Wait(NOON + HOUR)


def test_of_missed_times_the_latest_is_run_once() -> None:
    late = NOON + timedelta(minutes=30)
    assert decide(hourly(), latest=NOON - 3 * HOUR, now=late) == Run(NOON)
    assert decide(hourly(), latest=NOON, now=late) == Wait(NOON + HOUR)


def test_missed_times_are_skipped_on_record_where_that_is_asked_for() -> None:
    late = NOON + ON_TIME + TICK
    assert decide(hourly("Skip"), latest=NOON - 3 * HOUR, now=late) == Skip(NOON, "missed")


def test_a_name_that_is_seen_first_has_missed_nothing() -> None:
    assert decide(hourly(), latest=None, now=NOON + TICK) == Skip(NOON, "first seen")


def test_a_clock_that_was_set_back_runs_nothing_twice() -> None:
    assert decide(hourly(), latest=NOON + 2 * HOUR, now=NOON) == Wait(NOON + 3 * HOUR)


@given(
    st.sampled_from(["*/5 * * * *", "0 3 * * *", "0 0 * * 1"]),
    st.lists(st.integers(1, 400_000), min_size=1, max_size=30),
    st.sampled_from(["RunOnce", "Skip"]),
)
def test_whenever_one_looks_times_are_run_in_order_and_none_twice(
    text: str, steps: list[int], on_missed: OnMissed
) -> None:
    schedule = Schedule("x", Expression(text), UTC, "UTC", on_missed)
    now, latest, ran = NOON, NOON, []
    for step in steps:
        now += timedelta(seconds=step)
        match decide(schedule, latest=latest, now=now):
            case Run(at):
                ran.append(at)
                latest = at
                assert now - at <= ON_TIME or on_missed == "RunOnce"
            case Skip(at):
                latest = at
                assert on_missed == "Skip"
            case Wait(until):
                assert until is not None
                assert until > now
        assert isinstance(decide(schedule, latest=latest, now=now), Wait)
        assert latest <= now
    assert ran == sorted(set(ran))
