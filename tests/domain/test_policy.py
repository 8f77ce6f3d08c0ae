import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchanator.domain.backoff import Backoff
from batchanator.domain.outcomes import Failed
from batchanator.domain.policy import LONGEST_WAIT, Dead, Retry, settle_failure

BACKOFF = Backoff(timedelta(minutes=5), jitter=False)
AFTER_FIRST = timedelta(seconds=2)


@pytest.mark.parametrize(
    ("attempt", "most", "failed", "verdict"),
    [
        (1, 5, Failed("x"), Retry(AFTER_FIRST)),
        (4, 5, Failed("x"), Retry(timedelta(seconds=16))),
        (5, 5, Failed("x"), Dead("exhausted")),
        (7, 5, Failed("x"), Dead("exhausted")),
        (1, 1, Failed("x"), Dead("exhausted")),
        (6, 8, Failed("x"), Retry(timedelta(seconds=64))),  # redriven: attempts never restart
        (1, 5, Failed("x", permanent=True), Dead("permanent")),
        (5, 5, Failed("x", permanent=True), Dead("permanent")),
        (1, 5, Failed("x", retry_after=90), Retry(timedelta(seconds=90))),
        (1, 5, Failed("x", retry_after=0.5), Retry(timedelta(seconds=0.5))),
        (1, 5, Failed("x", retry_after=timedelta(hours=2)), Retry(timedelta(hours=2))),
        (1, 5, Failed("x", retry_after=0), Retry(timedelta(0))),
        (5, 5, Failed("x", retry_after=1), Dead("exhausted")),
        (1, 5, Failed("x", retry_after=1, permanent=True), Dead("permanent")),
    ],
)
def test_a_failed_attempt_is_retried_until_it_is_permanent_or_exhausted(attempt, most, failed, verdict):
    assert settle_failure(attempt, most, failed, BACKOFF, 0.0) == verdict


@pytest.mark.parametrize(
    ("retry_after", "delay"),
    [
        (-3, timedelta(0)),
        (timedelta(days=-1), timedelta(0)),
        (math.inf, LONGEST_WAIT),
        (10**400, LONGEST_WAIT),
        (timedelta.max, LONGEST_WAIT),
        (math.nan, AFTER_FIRST),
        ("10", AFTER_FIRST),
        (True, AFTER_FIRST),
    ],
)
def test_a_senseless_retry_after_is_bounded_or_counts_as_not_given(retry_after, delay):
    assert settle_failure(1, 5, Failed("x", retry_after=retry_after), BACKOFF, 0.0) == Retry(delay)


@given(
    st.integers(min_value=1, max_value=10**6),
    st.integers(min_value=1, max_value=10**6),
    st.none() | st.floats() | st.integers() | st.timedeltas(),
    st.booleans(),
    st.floats(min_value=0, max_value=1, exclude_max=True),
)
def test_every_failure_gets_a_verdict_within_bounds(attempt, most, retry_after, permanent, draw):
    failed = Failed("x", retry_after=retry_after, permanent=permanent)
    match settle_failure(attempt, most, failed, BACKOFF, draw):
        case Retry(delay):
            assert attempt < most
            assert not permanent
            assert timedelta(0) <= delay <= LONGEST_WAIT
        case Dead(reason):
            assert reason == ("permanent" if permanent else "exhausted")
