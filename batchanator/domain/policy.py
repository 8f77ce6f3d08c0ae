"""What follows from a failed attempt. Pure: the numbers come in, the verdict goes out."""

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from batchanator.domain.backoff import Backoff
from batchanator.domain.outcomes import Failed

# A database's instants end in the year 9999 and a typing error should not park an item for ever.
LONGEST_WAIT = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class HandlerPolicy:
    """What a handler asks for itself. None: the configuration's value holds."""

    slice_size: int | None = None
    timeout: timedelta | None = None
    max_attempts: int | None = None
    backoff: Backoff | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """The item is tried again after `delay`."""

    delay: timedelta


@dataclass(frozen=True, slots=True)
class Dead:
    """The item goes to the dead letter."""

    reason: Literal["exhausted", "permanent"]


def settle_failure(
    attempt: int, max_attempts: int, failed: Failed, backoff: Backoff, jitter: float
) -> Retry | Dead:
    """Return what becomes of an item whose attempt number `attempt` (from 1) failed.

    `jitter` is drawn by the caller from [0, 1). The handler's own `retry_after` wins over the backoff and
    is not jittered; it is bounded by 0 and `LONGEST_WAIT`, and one that is no number of seconds counts as
    not given.
    """
    if failed.permanent:
        return Dead("permanent")
    if attempt >= max_attempts:
        return Dead("exhausted")
    asked = _wait_asked_for(failed.retry_after)
    return Retry(backoff.delay(attempt, jitter=jitter) if asked is None else asked)


def _wait_asked_for(retry_after: object) -> timedelta | None:
    match retry_after:
        case timedelta():
            wait = retry_after
        case bool():
            return None
        case float() if math.isnan(retry_after):
            return None
        case int() | float():
            seconds = min(max(retry_after, 0), LONGEST_WAIT.total_seconds())
            wait = timedelta(seconds=seconds)
        case _:
            return None
    return min(max(wait, timedelta(0)), LONGEST_WAIT)
