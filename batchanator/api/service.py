"""What the API needs of the rest of the process: plain values and small protocols, given to it by `app`."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from batchanator.domain.access import Key
from batchanator.domain.observing import NOBODY, Observer
from batchanator.domain.outcomes import Outcome
from batchanator.domain.schedule import Schedule
from batchanator.domain.submission import Entry, JobOptions, Request, Submitted
from batchanator.domain.tracing import NO_SPANS, Spans, Trace
from batchanator.handlers.registered import RegisteredHandler
from batchanator.handlers.registry import Registry
from batchanator.store.operations import Operations
from batchanator.store.store import Store


class Submissions(Protocol):
    """Writes new jobs. ConflictError: the request's key was used with another request."""

    async def file(
        self, job_type: str, path: str, *, name: str | None, options: JobOptions, request: Request | None
    ) -> Submitted: ...

    async def database(
        self, job_type: str, *, options: JobOptions, request: Request | None
    ) -> Submitted | None: ...

    async def items(
        self,
        job_type: str,
        entries: Sequence[Entry],
        *,
        name: str | None,
        options: JobOptions,
        request: Request | None,
    ) -> Submitted: ...


class Uploads(Protocol):
    """Reads the body of a request into a job."""

    @property
    def has_room(self) -> bool: ...

    async def upload(
        self,
        job_type: str,
        pull: Callable[[], Awaitable[bytes]],
        *,
        name: str | None,
        options: JobOptions,
        request: Request | None,
        size: int | None,
    ) -> Submitted: ...


@dataclass(frozen=True, slots=True)
class Call:
    """One item to run, with what the dispatcher that sent it knows of it. `payload` is JSON as it was sent."""

    idempotency_key: str
    payload: bytes
    seq: int
    attempt: int


class Handling(Protocol):
    """Runs handlers here, outside the ledger; what raises or takes too long has failed."""

    async def run(
        self, handler: RegisteredHandler, job_id: int, fence: int, calls: Sequence[Call], trace: Trace | None
    ) -> Sequence[Outcome] | None:
        """Return an outcome for each call, whose seqs differ, in order; None where this process ends before that."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """`max_running` is how many requests are handled at once; health is answered beyond it."""

    max_items: int = 10_000
    max_bytes: int = 16 << 20
    max_line_bytes: int = 1 << 20
    max_running: int = 256

    @property
    def bodies(self) -> int:
        """How many bytes of bodies are held at once."""
        return 4 * max(self.max_bytes, 2 * self.max_line_bytes)


@dataclass(frozen=True, slots=True)
class Readiness:
    """`checks` says of each part what it runs on, or (where it is among `failing`) why it is not ready."""

    checks: Mapping[str, str]
    failing: frozenset[str] = frozenset()


@dataclass(slots=True)
class Gate:
    """Whether routes but health are served: `closed` says why not."""

    closed: str | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """A job that is run by the clock: by any process of this configuration that schedules."""

    schedule: Schedule
    enabled: bool


@dataclass(frozen=True, slots=True)
class Service:
    """`reads` and `operations` have connections of their own where the database has more than one writer.

    `status`, `triggers`: which of the routes this process has. `own_machine_only`: requests must be addressed to a
    loopback. `keys`: while there are none, whoever asks may do everything.
    """

    reads: Store
    submissions: Submissions
    uploads: Uploads
    operations: Operations
    registry: Registry
    handling: Handling
    readiness: Callable[[], Awaitable[Readiness]]
    own_machine_only: bool
    keys: Sequence[Key] = ()
    status: bool = True
    triggers: bool = True
    limits: Limits = field(default_factory=Limits)
    defaults: JobOptions = field(default_factory=JobOptions)
    gate: Gate = field(default_factory=Gate)
    planned: Sequence[Planned] = ()
    observer: Observer = NOBODY
    spans: Spans = NO_SPANS
    metrics: Callable[[], Awaitable[bytes]] | None = None
    """The process's metrics in the text format of Prometheus."""
