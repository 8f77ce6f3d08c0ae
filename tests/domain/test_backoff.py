from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchanator.domain.backoff import Backoff

caps = st.timedeltas(min_value=timedelta(0), max_value=timedelta.max)
draws = st.floats(min_value=0, max_value=1, exclude_max=True)


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [(1, 2), (2, 4), (3, 8), (4, 16), (5, 32), (6, 60), (7, 60), (10**9, 60), (0, 1), (-1, 1)],
)
def test_waits_double_up_to_the_cap(attempts, seconds):
    assert Backoff(timedelta(minutes=1)).delay(attempts, jitter=0.5) == timedelta(seconds=seconds)


@given(caps, st.integers(min_value=1))
def test_without_jitter_the_wait_is_exactly_the_smaller_of_cap_and_power(cap, attempts):
    delay = Backoff(cap).delay(attempts, jitter=0.9)
    assert delay == (cap if attempts > 46 else min(cap, timedelta(seconds=2**attempts)))


@given(caps, st.integers(min_value=1), draws)
def test_jitter_keeps_between_half_the_wait_and_the_wait(cap, attempts, draw):
    full = Backoff(cap).delay(attempts, jitter=draw)
    spread = Backoff(cap, jitter=True).delay(attempts, jitter=draw)
    assert full / 2 - timedelta(microseconds=1) <= spread <= full  # timedeltas round to microseconds


@given(caps, st.integers(min_value=1, max_value=100), draws)
def test_a_later_attempt_never_waits_less_for_the_same_draw(cap, attempts, draw):
    backoff = Backoff(cap, jitter=True)
    assert backoff.delay(attempts, jitter=draw) <= backoff.delay(attempts + 1, jitter=draw)


def test_a_negative_cap_is_refused():
    with pytest.raises(ValueError, match="must not be negative"):
        Backoff(timedelta(seconds=-1))
