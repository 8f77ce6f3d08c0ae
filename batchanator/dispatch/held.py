"""A slice in hand, from its claim until its settle is answered. Arrays run by position = seq - first_seq."""

from collections.abc import Mapping, Sequence
from time import perf_counter_ns
from typing import Any

from batchanator.dispatch.executor import SliceWork
from batchanator.dispatch.pacing import Pace
from batchanator.domain.backoff import Backoff
from batchanator.domain.outcomes import Failed, Outcome
from batchanator.domain.tracing import Trace
from batchanator.handlers.errors import INVALID_PAYLOAD, InvalidPayloadError
from batchanator.handlers.registered import RegisteredHandler
from batchanator.store.records import Claimed, SliceKey


class JobTypePolicy:
    """How a job type is run, its handler's and the configuration's words resolved."""

    __slots__ = ("backoff", "handler", "job_type_id", "max_attempts", "timeout_seconds")

    def __init__(
        self,
        handler: RegisteredHandler,
        job_type_id: int,
        *,
        timeout_seconds: float,
        max_attempts: int,
        backoff: Backoff,
    ) -> None:
        self.handler = handler
        self.job_type_id = job_type_id
        self.timeout_seconds = timeout_seconds
        self.max_attempts = max_attempts
        self.backoff = backoff


class HeldSlice:
    """The report of its own execution: started and done are two array writes an item."""

    __slots__ = (
        "claimed",
        "ended_ns",
        "flushed",
        "flushed_ns",
        "key",
        "left",
        "lost",
        "outcomes",
        "pace",
        "payloads",
        "policy",
        "serial",
        "started_ns",
        "stopped",
        "trace",
        "worker",
    )

    def __init__(self, claimed: Claimed, policy: JobTypePolicy, worker: str, *, serial: bool) -> None:
        length = claimed.last_seq - claimed.first_seq + 1
        self.claimed = claimed
        self.policy = policy
        self.worker = worker
        self.serial = serial
        self.key = SliceKey(claimed.job_id, claimed.first_seq, claimed.fence)
        self.outcomes: list[Outcome | None] = [None] * length
        self.started_ns = [0] * length
        self.ended_ns = [0] * length
        self.payloads: list[Any] = []
        self.left = len(claimed.seqs)
        self.flushed: set[int] = set()
        self.flushed_ns = perf_counter_ns()
        self.lost = False
        self.stopped = False
        self.pace: Pace | None = None
        self.trace: Trace | None = None

    def started(self, seq: int) -> None:
        self.started_ns[seq - self.claimed.first_seq] = perf_counter_ns()

    def done(self, seq: int, outcome: Outcome) -> None:
        position = seq - self.claimed.first_seq
        self.ended_ns[position] = perf_counter_ns()
        self.outcomes[position] = outcome
        self.left -= 1

    def all_started(self, seqs: Sequence[int]) -> None:
        now, first, started_ns = perf_counter_ns(), self.claimed.first_seq, self.started_ns
        for seq in seqs:
            started_ns[seq - first] = now

    def all_done(self, seqs: Sequence[int], outcomes: Sequence[Outcome]) -> None:
        now, first, ended_ns, mine = perf_counter_ns(), self.claimed.first_seq, self.ended_ns, self.outcomes
        for seq, outcome in zip(seqs, outcomes, strict=True):
            ended_ns[seq - first] = now
            mine[seq - first] = outcome
        self.left -= len(seqs)

    def never_started(self, seqs: Sequence[int]) -> None:
        for seq in seqs:
            self.started_ns[seq - self.claimed.first_seq] = 0

    def told(self) -> Mapping[str, str | int]:
        """Return what a span says of this slice."""
        return {
            "job_type": self.policy.handler.job_type,
            "job": self.key.job_id,
            "slice": self.key.first_seq,
            "fence": self.key.fence,
            "items": len(self.claimed.seqs),
        }

    def attempt_of(self, seq: int) -> int:
        """Return the number, from 1, of the attempt that this claim makes at an item."""
        retry = self.claimed.retries.get(seq)
        return 1 if retry is None else retry[0] + 1

    def allowed(self, seq: int) -> int:
        retry = self.claimed.retries.get(seq)
        return self.policy.max_attempts if retry is None else max(retry[1], 1)

    def has_started(self) -> bool:
        """Tell whether an item without an outcome had started: it may have run."""
        return any(
            start and outcome is None for start, outcome in zip(self.started_ns, self.outcomes, strict=True)
        )

    def work(self, indexes: list[int] | None = None) -> SliceWork:
        """Return the items to run: all that were read and are valid, or those at some indexes of the claim's lists."""
        claimed, policy = self.claimed, self.policy
        seqs, keys, payloads = claimed.seqs, claimed.keys, self.payloads
        if indexes is not None:
            seqs = [seqs[i] for i in indexes]
            keys = [keys[i] for i in indexes]
            payloads = [payloads[i] for i in indexes]
        attempts = [self.attempt_of(seq) for seq in seqs] if claimed.retries else [1] * len(seqs)
        return SliceWork(
            policy.handler,
            claimed.job_id,
            claimed.first_seq,
            claimed.last_seq,
            claimed.fence,
            policy.timeout_seconds,
            seqs,
            keys,
            attempts,
            payloads,
            self.trace,
        )

    def read_payloads(self) -> bool:
        """Validate all payloads in one call; False where one does not fit, and each must be read by itself."""
        try:
            self.payloads = self.policy.handler.payloads.read_slice(
                self.claimed.body or "[]", self.claimed.keys
            )
        except InvalidPayloadError:
            return False
        return True

    def read_each(self, raw: dict[int, str]) -> list[int]:
        """Validate a row each; what does not fit fails for good. Returns the indexes of those that fit."""
        valid: list[int] = []
        self.payloads = [None] * len(self.claimed.seqs)
        for index, seq in enumerate(self.claimed.seqs):
            try:
                self.payloads[index] = self.policy.handler.payloads.read_one(
                    raw.get(seq, ""), self.claimed.keys[index]
                )
                valid.append(index)
            except InvalidPayloadError as error:
                self.started(seq)
                self.done(seq, Failed(error.message, INVALID_PAYLOAD, permanent=True))
        return valid
