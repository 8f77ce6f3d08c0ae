import inspect

import pytest

from batchanator import Failed, Skipped, Succeeded
from batchanator.handlers import failure_from, storable, to_outcome, to_outcomes

SURROGATE = "\ud800"


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (None, Succeeded()),
        (Succeeded(1), Succeeded(1)),
        (Skipped("no"), Skipped("no")),
        (Failed("x"), Failed("x")),
    ],
)
def test_an_outcome_stands_and_none_is_success(answer, outcome):
    assert to_outcome(answer) == outcome


@pytest.mark.parametrize(
    ("answer", "name"),
    [({"ok": False}, "dict"), (False, "bool"), (Failed, "type"), (ValueError("x"), "ValueError")],
)
def test_anything_else_is_a_failed_attempt_that_names_the_type(answer, name):
    outcome = to_outcome(answer)
    assert isinstance(outcome, Failed)
    assert outcome.code == "invalid_outcome"
    assert name in outcome.error


def test_a_coroutine_returned_by_a_plain_function_is_closed_and_named():
    async def forgotten() -> None:
        raise AssertionError

    coroutine = forgotten()
    outcome = to_outcome(coroutine)
    assert isinstance(outcome, Failed)
    assert "coroutine" in outcome.error
    assert inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED


def test_a_slice_gets_an_outcome_per_payload():
    answers = [None, Skipped("no"), 5]
    first, second, third = to_outcomes(answers, 3)
    assert (first, second) == (Succeeded(), Skipped("no"))
    assert isinstance(third, Failed)
    assert third.code == "invalid_outcome"


@pytest.mark.parametrize("answers", [None, [], [None], "ab", b"ab", {1, 2}, (None,) * 3, Succeeded()])
def test_another_count_or_no_sequence_fails_every_item_of_the_slice(answers):
    outcomes = to_outcomes(answers, 2)
    assert len(outcomes) == 2
    assert {outcome.code for outcome in outcomes if isinstance(outcome, Failed)} == {"invalid_outcome"}


def test_a_slice_handler_that_forgot_to_await_fails_the_slice_quietly():
    async def forgotten() -> None:
        raise AssertionError

    assert "coroutine" in str(to_outcomes(forgotten(), 1))


class SpeechlessError(Exception):
    def __str__(self):
        raise RuntimeError


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("bad"), "ValueError: bad"),
        (TimeoutError(), "TimeoutError"),
        (KeyError("a"), "KeyError: 'a'"),
        (ValueError(f"a\0{SURROGATE}"), "ValueError: a\ufffd\ufffd"),
        (SpeechlessError(), "SpeechlessError"),
    ],
)
def test_an_exception_becomes_a_failed_attempt_that_can_be_stored(error, text):
    assert failure_from(error) == Failed(text, code=type(error).__name__)


@pytest.mark.parametrize(
    ("outcome", "stored"),
    [
        (Succeeded("x"), Succeeded("x")),
        (Skipped("a\0"), Skipped("a\ufffd")),
        (Failed("a\0", SURROGATE, 5, permanent=True), Failed("a\ufffd", "\ufffd", 5, permanent=True)),
        (Failed(ValueError("oops")), Failed("oops")),  # type: ignore[arg-type]
        (Failed("x" * 5000), Failed("x" * 3999 + "…")),
    ],
)
def test_texts_of_outcomes_are_made_storable(outcome, stored):
    assert storable(outcome) == stored
