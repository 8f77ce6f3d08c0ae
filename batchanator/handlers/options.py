import math
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from batchanator.domain.backoff import Backoff
from batchanator.domain.errors import HandlerError
from batchanator.domain.policy import HandlerPolicy

_JOB_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

OPTIONS = "__batchanator_handler__"


@dataclass(frozen=True, slots=True)
class HandlerOptions:
    """What a handler says of itself, as written: nothing is checked before it is registered."""

    job_type: Any
    slice_size: Any = None
    timeout: Any = None
    max_attempts: Any = None
    backoff: Any = None
    max_retry_delay: Any = None
    cpu_bound: Any = False


def policy_of(options: HandlerOptions, source: str) -> HandlerPolicy:
    """Return the policy of a handler; a HandlerError names the first option that makes no sense."""
    if not isinstance(options.job_type, str) or not _JOB_TYPE.fullmatch(options.job_type):
        raise HandlerError(
            f"{source}: job_type {options.job_type!r} must be 1 to 100 letters, digits, dots, dashes or _"
        )
    for name in ("slice_size", "max_attempts"):
        number = getattr(options, name)
        if number is not None and (type(number) is not int or number < 1):
            raise HandlerError(f"{source}: {name} must be a whole number from 1, not {number!r}")
    backoff = options.backoff
    if backoff is not None and not isinstance(backoff, Backoff):
        raise HandlerError(f"{source}: backoff must be a Backoff, not {backoff!r}")
    cap = _duration(options.max_retry_delay, "max_retry_delay", source)
    if cap is not None:
        backoff = Backoff(cap, jitter=backoff.jitter if backoff else False)
    return HandlerPolicy(
        options.slice_size, _duration(options.timeout, "timeout", source), options.max_attempts, backoff
    )


def _duration(value: object, name: str, source: str) -> timedelta | None:
    if value is None:
        return None
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < math.inf:
        raise HandlerError(f"{source}: {name} must be seconds or a timedelta above 0, not {value!r}")
    return timedelta(seconds=seconds)
