from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Generic, TypeVar

import pytest
from pydantic import BaseModel

from batchanator import JobContext, JobHandler, Outcome, SliceContext, SliceHandler, Succeeded, handler
from batchanator.domain.backoff import Backoff
from batchanator.domain.errors import HandlerError
from batchanator.domain.policy import HandlerPolicy
from batchanator.handlers import RegisteredHandler, Registry

P = TypeVar("P")
Q = TypeVar("Q")
CONTEXT = JobContext("k", 1, 2, 3, 4)


class Email(BaseModel):
    to: str = "ada"


def register(thing: Any) -> RegisteredHandler:
    registry = Registry()
    registry.add(thing)
    (only,) = registry
    return only


async def run(registered: RegisteredHandler, raw: str = "{}") -> Any:
    payload = registered.payloads.read_one(raw)
    answer = registered.call([payload] if registered.whole_slice else payload, CONTEXT)
    return await answer if registered.is_async else answer


class Async(JobHandler[Email]):
    job_type = "t"

    async def process(self, payload: Email, context: JobContext) -> Outcome:
        return Succeeded((type(payload), context))


class Plain(JobHandler[Email]):
    job_type = "t"

    def process(self, payload: Email, context: JobContext) -> Outcome:
        return Succeeded((type(payload), context))


class ByAnnotation(JobHandler):  # type: ignore[type-arg]
    job_type = "t"

    async def process(self, payload: "Email", context: "NotImportedAtRunTime") -> Outcome:  # type: ignore[name-defined]  # noqa: F821
        return Succeeded((type(payload), context))


class Logged(JobHandler[P], Generic[P]):
    async def process(self, payload: P, context: JobContext) -> Outcome:
        return Succeeded((type(payload), context))


class Twice(Logged[Q], Generic[P, Q]):
    def other(self, value: P) -> P:
        return value


class Through(Twice[int, Email]):
    job_type = "t"


class Mixin:
    pass


class Mixed(Mixin, Async):
    job_type = "t"


class Child(Async):
    job_type = "t"


class Quoted(JobHandler["Email"]):
    job_type = "t"

    async def process(self, payload: Email, context: JobContext) -> Outcome:
        return Succeeded((type(payload), context))


class NoContext(JobHandler[Email]):
    job_type = "t"

    async def process(self, payload: Email) -> Outcome:  # type: ignore[override]
        return Succeeded((type(payload), CONTEXT))


@handler("t")
async def async_function(payload: Email, context: JobContext) -> Outcome:
    return Succeeded((type(payload), context))


@handler("t")
def plain_function(payload: Email) -> Outcome:
    return Succeeded((type(payload), CONTEXT))


@handler("t")
def any_arguments(payload: Email, *rest: Any) -> Outcome:
    return Succeeded((type(payload), *rest))


@pytest.mark.parametrize(
    ("thing", "is_async"),
    [
        (Async, True), (Plain, False), (ByAnnotation, True), (Through, True), (Child, True), (Quoted, True),
        (Mixed, True),
        (NoContext, True), (async_function, True), (plain_function, False), (any_arguments, False),
    ],
)  # fmt: skip
async def test_a_handler_gets_its_model_and_context_however_it_is_written(thing, is_async) -> None:
    registered = register(thing)
    assert registered.is_async is is_async
    assert not registered.whole_slice
    assert registered.source == f"{__name__}:{thing.__qualname__}"
    assert await run(registered) == Succeeded((Email, CONTEXT))


class AsyncSlice(SliceHandler[Email]):
    job_type = "t"

    async def process(self, payloads: Sequence[Email], context: SliceContext) -> Sequence[Outcome | None]:
        return [Succeeded(type(payload)) for payload in payloads]


class SliceByAnnotation(SliceHandler):  # type: ignore[type-arg]
    job_type = "t"

    def process(self, payloads: Sequence["Email"], context: SliceContext) -> Sequence[Outcome | None]:
        return [Succeeded(type(payload)) for payload in payloads]


@handler("t")
def slice_function(payloads: list[Email]) -> list[Outcome]:
    return [Succeeded(type(payload)) for payload in payloads]


@handler("t")
async def sequence_function(payloads: Sequence[Email], context: SliceContext) -> list[Outcome]:
    return [Succeeded(type(payload)) for payload in payloads]


@pytest.mark.parametrize("thing", [AsyncSlice, SliceByAnnotation, slice_function, sequence_function])
async def test_a_slice_handler_gets_a_list_of_its_model(thing) -> None:
    registered = register(thing)
    assert registered.whole_slice
    assert await run(registered) == [Succeeded(Email)]


def test_a_decorated_function_can_be_called_as_before() -> None:
    assert plain_function(Email()) == Succeeded((Email, CONTEXT))


class Hooked(Plain):
    async def start(self) -> None:
        self.opened = True

    async def stop(self) -> None:
        self.opened = False


async def test_hooks_belong_to_the_instance_that_works_and_are_none_where_not_written() -> None:
    registered = register(Hooked)
    assert registered.start is not None
    assert registered.stop is not None
    method: Any = registered.call
    instance = method.__self__
    await registered.start()
    assert instance.opened
    await registered.stop()
    assert not instance.opened
    assert (register(Plain).start, register(async_function).stop) == (None, None)


async def test_the_base_classes_own_hooks_do_nothing() -> None:
    await Plain().start()
    await Plain().stop()


def with_options(**options: Any) -> type[JobHandler[Email]]:
    return type("Optioned", (Plain,), options)


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
        handler(plain_function)  # type: ignore[arg-type]


def test_the_decorator_on_a_class_is_refused_at_once() -> None:
    with pytest.raises(HandlerError, match="@handler is for functions; give the class Email a job_type"):
        handler("t")(Email)
