from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import pytest

from batchanator import JobContext, JobHandler, Outcome, SliceContext, SliceHandler, Succeeded, handler
from tests.handlers.registering import CONTEXT, Email, register, run

P = TypeVar("P")
Q = TypeVar("Q")


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
