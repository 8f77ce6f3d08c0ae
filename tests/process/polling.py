"""The one place where these tests sleep: a look every few milliseconds, until a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
LOOK_SECONDS = 0.02


def until(look: Callable[[], T], what: str, *, seconds: float = 30) -> T:
    """Return the first true thing that `look` finds; AssertionError, naming `what`, at the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(LOOK_SECONDS)


def pass_time(seconds: float) -> None:
    """Let time go by that the test is about: a lease, an outage."""
    over = time.monotonic() + seconds
    until(lambda: time.monotonic() >= over, "the time is over", seconds=seconds + 5)
