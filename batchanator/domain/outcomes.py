"""What a handler may answer for one item."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The item is done. `result` is anything that has a JSON form; it is kept with the item."""

    result: Any = None


@dataclass(frozen=True, slots=True)
class Failed:
    """This attempt failed. It is tried again unless it is `permanent` or out of attempts.

    `code` is a short, stable word that errors are counted by; `retry_after` (seconds or a timedelta) takes
    the place of the backoff for the next attempt.
    """

    error: str
    code: str | None = None
    retry_after: float | timedelta | None = None
    permanent: bool = False


@dataclass(frozen=True, slots=True)
class Skipped:
    """There was nothing to do for this item. It counts as finished and keeps the reason."""

    reason: str


Outcome = Succeeded | Failed | Skipped
