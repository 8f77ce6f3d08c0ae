from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Generic, TypeVar

import pytest

from batchanator import JobContext, JobHandler, Outcome, Succeeded, handler
from batchanator.domain.backoff import Backoff
from batchanator.domain.errors import HandlerError
from batchanator.domain.policy import HandlerPolicy
from batchanator.handlers import Registry
from tests.handlers.registering import Email, register

P = TypeVar("P")
Q = TypeVar("Q")


class Optioned(JobHandler[Email]):
    job_type = "t"

    def process(self, payload: Email, context: JobContext) -> None: ...


def with_options(**options: Any) -> type[JobHandler[Email]]:
    return type("Mine", (Optioned,), options)


@pytest.mark.parametrize(
    ("options", "policy"),
    [
        ({}, HandlerPolicy()),
        ({"slice_size": 5, "max_attempts": 2}, HandlerPolicy(slice_size=5, max_attempts=2)),
        ({"timeout": 1.5}, HandlerPolicy(timeout=timedelta(seconds=1.5))),
        ({"timeout": timedelta(minutes=1)}, HandlerPolicy(timeout=timedelta(minutes=1))),
        ({"max_retry_delay": 60}, HandlerPolicy(backoff=Backoff(timedelta(minutes=1)))),
        (
            {"backoff": Backoff(timedelta(1), jitter=True)},
            HandlerPolicy(backoff=Backoff(timedelta(1), jitter=True)),
        ),
        (
            {"backoff": Backoff(timedelta(1), jitter=True), "max_retry_delay": 2},
            HandlerPolicy(backoff=Backoff(timedelta(seconds=2), jitter=True)),
        ),
    ],
)
def test_options_become_a_policy_from_a_class_and_a_function_alike(options, policy) -> None:
    assert register(with_options(**options)).policy == policy
    assert register(handler("t", **options)(lambda_with_model())).policy == policy


def lambda_with_model() -> Callable[[Email], Awaitable[None]]:
    async def function(payload: Email) -> None: ...

    return function


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"job_type": ""}, "job_type '' must be"),
        ({"job_type": "a/b"}, "job_type 'a/b' must be"),
        ({"job_type": "a" * 101}, "must be 1 to 100"),
        ({"job_type": 5}, "job_type 5 must be"),
        ({"slice_size": 0}, "slice_size must be a whole number from 1, not 0"),
        ({"slice_size": True}, "slice_size must be a whole number from 1, not True"),
        ({"max_attempts": 1.5}, "max_attempts must be a whole number from 1"),
        ({"timeout": 0}, "timeout must be seconds or a timedelta above 0, not 0"),
        ({"timeout": timedelta(-1)}, "timeout must be"),
        ({"timeout": float("inf")}, "timeout must be"),
        ({"timeout": True}, "timeout must be"),
        ({"max_retry_delay": "1m"}, "max_retry_delay must be seconds or a timedelta above 0, not '1m'"),
        ({"backoff": 5}, "backoff must be a Backoff, not 5"),
        ({"start": lambda self: None}, "start must be an async def"),
    ],
)
def test_an_option_without_sense_is_refused_by_name(options, message) -> None:
    with pytest.raises(HandlerError, match=message):
        register(with_options(**options))


def untyped(payload, context): ...


def bare_list(payloads: list) -> None: ...  # type: ignore[type-arg]


def nothing() -> None: ...


def three(payload: Email, context: JobContext, more: int) -> None: ...


def keyword(payload: Email, *, url: str) -> None: ...


def unresolved(payload: "NoSuchModel") -> None: ...  # type: ignore[name-defined]  # noqa: F821


def generator(payload: Email):
    yield None


async def async_generator(payload: Email):
    yield None


def foreign(payload: Registry) -> None: ...


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (untyped, "untyped does not say what its payload is"),
        (bare_list, r"must name the model, as in list\[Model\]"),
        (nothing, r"nothing must take \(payload\) or \(payload, context\)"),
        (three, "three must take"),
        (keyword, "keyword must take"),
        (unresolved, "the payload type of .*:unresolved, 'NoSuchModel', cannot be resolved .NameError"),
        (generator, "generator yields"),
        (async_generator, "async_generator yields"),
        (foreign, ":foreign: .*Registry'> cannot be a payload type"),
    ],
)
def test_a_function_that_cannot_be_a_handler_is_refused_with_the_reason(function, message) -> None:
    with pytest.raises(HandlerError, match=message):
        register(handler("t")(function))


class Open(JobHandler[P], Generic[P]):
    job_type = "t"

    async def process(self, payload: P, context: JobContext) -> Outcome:
        return Succeeded()


class QuotedWrongly(JobHandler["NoSuchModel"]):  # type: ignore[name-defined]
    job_type = "t"

    async def process(self, payload: Any, context: JobContext) -> Outcome:
        return Succeeded()


@pytest.mark.parametrize(
    ("cls", "message"),
    [(Open, "Open does not say what its payload is"), (QuotedWrongly, "'NoSuchModel', cannot be resolved")],
)
def test_a_class_whose_payload_type_is_not_known_is_refused(cls, message) -> None:
    with pytest.raises(HandlerError, match=message):
        register(cls)


def test_the_decorator_without_a_job_type_is_refused_at_once() -> None:
    with pytest.raises(HandlerError, match=r'write @handler\("job-type"\)'):
        handler(keyword)  # type: ignore[arg-type]


def test_the_decorator_on_a_class_is_refused_at_once() -> None:
    with pytest.raises(HandlerError, match="@handler is for functions; give the class Email a job_type"):
        handler("t")(Email)
