"""The seam behind which handlers run: in this process, in threads, in other processes, over HTTP.

An executor never writes to the ledger and never retries. It reports each item's start and outcome; what it cannot
answer for is `Lost`, which costs a lapse on record and no attempt.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from batchanator.domain.errors import BatchanatorError
from batchanator.domain.outcomes import Outcome
from batchanator.domain.tracing import Trace
from batchanator.handlers.context import JobContext, SliceContext
from batchanator.handlers.registered import RegisteredHandler


@dataclass(frozen=True, slots=True)
class Lost:
    """Items of the work may have run, and no answer will come."""

    reason: str


class UnansweredError(BatchanatorError):
    """Raised in place of an outcome: nobody can say what became of it. `may_have_run`: not where it was never sent."""

    def __init__(self, reason: str, *, may_have_run: bool) -> None:
        super().__init__(reason)
        self.may_have_run = may_have_run


@dataclass(slots=True)
class SliceWork:
    """Items to run, as parallel lists; all of a slice, or one item of it."""

    handler: RegisteredHandler
    job_id: int
    first_seq: int
    last_seq: int
    fence: int
    timeout_seconds: float
    seqs: list[int]
    keys: list[str]
    attempts: list[int]
    payloads: list[Any]
    trace: Trace | None = None

    def context(self, index: int, deadline: float) -> JobContext:
        """Return what the handler is told of one item; `deadline` is on the clock of time.monotonic()."""
        return JobContext(
            self.keys[index], self.job_id, self.seqs[index], self.attempts[index], self.fence, deadline
        )

    def slice_context(self, deadline: float) -> SliceContext:
        return SliceContext(
            self.job_id,
            self.seqs[0],
            self.seqs[-1],
            self.fence,
            keys=self.keys,
            seqs=self.seqs,
            attempts=self.attempts,
            monotonic_deadline=deadline,
        )


class Report(Protocol):
    """Where an executor tells what happens. Outcomes come in any order, each seq at most once."""

    def started(self, seq: int) -> None: ...

    def never_started(self, seqs: Sequence[int]) -> None:
        """Take the start of items back: they were not sent, and cannot have run."""
        ...

    def done(self, seq: int, outcome: Outcome) -> None: ...

    def all_started(self, seqs: Sequence[int]) -> None:
        """Report the start of several items at one moment."""
        ...

    def all_done(self, seqs: Sequence[int], outcomes: Sequence[Outcome]) -> None: ...


class Executor(Protocol):
    @property
    def stuck(self) -> Mapping[str, int]:
        """How many threads and children do not come back from what nobody waits for any more, by their kind."""
        ...

    def start(self) -> None: ...

    def accepts(self, handler: RegisteredHandler) -> bool:
        """Tell whether work for this handler may be claimed now: not where its target is known to be away."""
        ...

    def capacity(self) -> int:
        """Return how many items run at once."""
        ...

    async def run(self, work: SliceWork, report: Report) -> Lost | None:
        """Run the items and return when each is reported. Cancelled: stop them; what has no outcome gets none."""
        ...

    def withdraw(self, report: Report) -> None:
        """Start nothing more of the work that reports here; its `run` is Lost when what was started is reported.

        What runs already goes on. An executor that starts all items of a work at once need do nothing.
        """
        ...

    async def close(self, grace: timedelta) -> None: ...
