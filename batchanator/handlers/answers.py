"""From what a handler returned or raised to an outcome."""

import inspect
from collections.abc import Sequence
from typing import assert_never

from batchanator.domain.outcomes import Failed, Outcome, Skipped, Succeeded
from batchanator.handlers.texts import sanitise

INVALID_OUTCOME = "invalid_outcome"
TIMEOUT = "timeout"
DEAF_SECONDS = 1.0
"""How long a handler may take to end after its cancellation."""

SUCCEEDED = Succeeded()
_OUTCOMES = (Succeeded, Failed, Skipped)  # isinstance takes three times as long with a union


def to_outcome(answer: object) -> Outcome:
    """Return the outcome that a handler's answer stands for: None is success, a stranger a failed attempt."""
    if answer is None:
        return SUCCEEDED
    if isinstance(answer, _OUTCOMES):
        return answer
    _close(answer)
    return Failed(
        f"the handler returned {_type_name(answer)}; it may return Succeeded, Failed, Skipped or None",
        INVALID_OUTCOME,
    )


def to_outcomes(answers: object, count: int) -> list[Outcome]:
    """Return the outcomes of a slice handler's answer, `count` of them; another count fails all of them."""
    if not isinstance(answers, Sequence) or isinstance(answers, str | bytes):
        _close(answers)
        wrong = f"the slice handler returned {_type_name(answers)} in place of a sequence of outcomes"
        return [Failed(wrong, INVALID_OUTCOME)] * count
    if len(answers) != count:
        wrong = f"the slice handler returned {len(answers)} outcomes for {count} payloads"
        return [Failed(wrong, INVALID_OUTCOME)] * count
    return [to_outcome(answer) for answer in answers]


def failure_from(error: BaseException) -> Failed:
    """Return the failed attempt that an exception stands for; its type's name is the code."""
    name = type(error).__name__
    try:
        text = str(error)
    except Exception:  # noqa: BLE001  # __str__ is the user's code
        text = ""
    return Failed(sanitise(f"{name}: {text}" if text else name), code=sanitise(name, 100))


def timed_out(seconds: float) -> Failed:
    """Return the failed attempt of a handler that did not answer within its time."""
    return Failed(f"no answer within {seconds:g} s", TIMEOUT)


def cancelled_within() -> Failed:
    """Return the failed attempt of a handler that ended by a cancellation which was not ours."""
    return Failed("the handler was cancelled from within", "CancelledError")


def storable(outcome: Outcome) -> Outcome:
    """Return `outcome` with texts that every database takes."""
    match outcome:
        case Succeeded():
            return outcome
        case Failed(error, code, retry_after, permanent):
            return Failed(
                sanitise(error), None if code is None else sanitise(code, 100), retry_after, permanent
            )
        case Skipped(reason):
            return Skipped(sanitise(reason))
        case _:
            assert_never(outcome)


def _close(answer: object) -> None:
    """Close a coroutine that a plain function returned: else Python warns that nobody awaited it."""
    if inspect.iscoroutine(answer):
        answer.close()


def _type_name(value: object) -> str:
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
