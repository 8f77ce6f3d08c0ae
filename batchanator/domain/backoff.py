from dataclasses import dataclass
from datetime import timedelta

# 2^46 s is the highest power of two that a timedelta can hold: above it every cap is smaller.
_HIGHEST_POWER = 46


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long a failed item waits: 2^attempts seconds, at most `cap`."""

    cap: timedelta
    jitter: bool = False

    def __post_init__(self) -> None:
        if self.cap < timedelta(0):
            raise ValueError("the longest retry delay must not be negative")

    def delay(self, attempts: int, *, jitter: float) -> timedelta:
        """Return the wait before the next attempt, after `attempts` failed ones (from 1).

        `jitter` is drawn by the caller from [0, 1), so that this stays pure. Where jitter is on, the wait
        is spread over (delay / 2, delay] ("equal jitter"): a crowd is parted, no wait is longer than
        announced, and none is so short that the target has had no time to recover.
        """
        if attempts > _HIGHEST_POWER:
            full = self.cap
        else:
            full = min(self.cap, timedelta(seconds=1 << max(attempts, 0)))
        return full - (full / 2) * jitter if self.jitter else full
