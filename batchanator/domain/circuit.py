"""Whether to send work to a target that may be away. Pure: time and chance come in, the next state goes out.

Closed: work flows. Open: none until an instant. Then one request is let through as a trial: its answer closes the
circuit, its failure opens it again for longer. Libraries (aiobreaker, purgatory) read the clock themselves and wait the
same time after every failed trial.
"""

from dataclasses import dataclass
from typing import assert_never


@dataclass(frozen=True, slots=True)
class Closed:
    """`failures` in a row that may have been chance: a connection that broke."""

    failures: int = 0


@dataclass(frozen=True, slots=True)
class Open:
    """Nothing is sent before `until`; `times` is how often it opened without an answer in between."""

    until: float
    times: int


@dataclass(frozen=True, slots=True)
class Trying:
    """One request is under way, and nothing else may go."""

    times: int


Circuit = Closed | Open | Trying
CLOSED = Closed()


@dataclass(frozen=True, slots=True)
class CircuitPolicy:
    """Seconds. `threshold` failures in a row open the circuit where one alone proves nothing."""

    threshold: int = 3
    first: float = 0.5
    cap: float = 30.0

    def wait(self, times: int, *, jitter: float) -> float:
        """Return how long the circuit stays open the nth time (from 1): in (full / 2, full], drawn by `jitter`."""
        full = self.cap if times > 60 else min(self.cap, self.first * 2.0 ** (times - 1))
        return full - full / 2 * jitter


def admits(circuit: Circuit, now: float) -> bool:
    match circuit:
        case Closed():
            return True
        case Open():
            return now >= circuit.until
        case Trying():
            return False
        case _:
            assert_never(circuit)


def sent(circuit: Circuit) -> Circuit:
    """Return the state after a request was admitted: one of an open circuit is its trial."""
    return Trying(circuit.times) if isinstance(circuit, Open) else circuit


def answered(circuit: Circuit) -> Circuit:
    """Return the state after an answer. One to a request from before it opened says nothing of now."""
    return circuit if isinstance(circuit, Open) else CLOSED


def dropped(circuit: Circuit, now: float) -> Circuit:
    """Return the state after a trial that was given up without a verdict: the next may begin at once."""
    return Open(now, circuit.times) if isinstance(circuit, Trying) else circuit


def failed(
    circuit: Circuit,
    policy: CircuitPolicy,
    *,
    now: float,
    jitter: float,
    certain: bool,
    wait: float | None = None,
) -> Circuit:
    """Return the state after a failure.

    `certain`: the target is away, no chance about it. `wait`: how long it asked to be left alone, at most the cap.
    """
    match circuit:
        case Open():
            return circuit  # of those that were under way when it opened
        case Closed(failures) if not certain and failures + 1 < policy.threshold:
            return Closed(failures + 1)
        case Closed():
            times = 1
        case Trying():
            times = circuit.times + 1
        case _:
            assert_never(circuit)
    pause = policy.wait(times, jitter=jitter) if wait is None else min(max(wait, 0.0), policy.cap)
    return Open(now + pause, times)
