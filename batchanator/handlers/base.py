"""What users write: a class with `process`, or a function under `@handler`."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import ClassVar, Generic, TypeVar

from batchanator.domain.backoff import Backoff
from batchanator.domain.errors import HandlerError
from batchanator.domain.outcomes import Outcome
from batchanator.handlers.context import JobContext, SliceContext
from batchanator.handlers.options import OPTIONS, HandlerOptions

P = TypeVar("P")
F = TypeVar("F", bound=Callable[..., object])


class _Handler(ABC):
    """What all handlers share. Durations are timedeltas or seconds; None: the configuration's value holds."""

    job_type: ClassVar[str]
    slice_size: ClassVar[int | None] = None
    timeout: ClassVar[timedelta | float | None] = None
    max_attempts: ClassVar[int | None] = None
    backoff: ClassVar[Backoff | None] = None
    max_retry_delay: ClassVar[timedelta | float | None] = None
    cpu_bound: ClassVar[bool] = False
    """It computes: a plain `process` runs in a child process, so that it holds up nothing else."""

    async def start(self) -> None:  # noqa: B027  # a hook that most handlers have no use for
        """Open connections, once before the first item."""

    async def stop(self) -> None:  # noqa: B027  # as above
        """Close them, once after the last item."""


class JobHandler(_Handler, Generic[P]):
    """Handles one item at a time: `class EmailNotification(JobHandler[Email])`.

    `process` is `async def`, or a plain `def` that runs in a thread. Returning None is success; raising is
    a failed attempt. It may run more than once for an item: see `JobContext.idempotency_key` and `fence`.
    """

    @abstractmethod
    def process(self, payload: P, context: JobContext) -> Outcome | Awaitable[Outcome | None] | None: ...


class SliceHandler(_Handler, Generic[P]):
    """Handles a slice of items in one call, for targets that take many at a time.

    `process` returns one outcome (None: success) per payload, in order; another count fails this attempt of
    them all.
    """

    @abstractmethod
    def process(
        self, payloads: Sequence[P], context: SliceContext
    ) -> Sequence[Outcome | None] | Awaitable[Sequence[Outcome | None]]: ...


def handler(
    job_type: str,
    *,
    slice_size: int | None = None,
    timeout: timedelta | float | None = None,
    max_attempts: int | None = None,
    backoff: Backoff | None = None,
    max_retry_delay: timedelta | float | None = None,
    cpu_bound: bool = False,
) -> Callable[[F], F]:
    """Make a function `(payload: Model, context: JobContext)` a handler; the context may be left out.

    A first parameter annotated `list[Model]` or `Sequence[Model]` makes it a slice handler. The function
    itself is returned unchanged, so it can be called and tested as before.
    """
    if not isinstance(job_type, str):
        raise HandlerError('write @handler("job-type") with the name of a job type')
    options = HandlerOptions(job_type, slice_size, timeout, max_attempts, backoff, max_retry_delay, cpu_bound)

    def mark(function: F) -> F:
        if isinstance(function, type):
            raise HandlerError(
                f"@handler is for functions; give the class {function.__name__} a job_type instead"
            )
        setattr(function, OPTIONS, options)
        return function

    return mark
