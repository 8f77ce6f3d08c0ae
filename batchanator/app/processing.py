"""What /process runs: the dispatcher's executors, outside the ledger. No lease, no retry, no record."""

from collections.abc import Mapping, Sequence
from typing import Any

from batchanator.api.service import Call
from batchanator.dispatch.executor import Executor, SliceWork
from batchanator.domain.outcomes import Failed, Outcome
from batchanator.domain.tracing import Trace
from batchanator.handlers.errors import INVALID_PAYLOAD, InvalidPayloadError
from batchanator.handlers.registered import RegisteredHandler


class Outside:
    """Runs calls as a slice is run, and keeps what came of them. `timeouts` in seconds, by job type."""

    def __init__(self, executor: Executor, timeouts: Mapping[str, float]) -> None:
        self._executor = executor
        self._timeouts = timeouts

    async def run(
        self, handler: RegisteredHandler, job_id: int, fence: int, calls: Sequence[Call], trace: Trace | None
    ) -> Sequence[Outcome] | None:
        """Return an outcome for each call, in order; None where this process ends before that."""
        report = _Report()
        payloads, valid = _read(handler, calls, report)
        if valid:
            seqs = [call.seq for call in valid]
            work = SliceWork(
                handler,
                job_id,
                min(seqs),
                max(seqs),
                fence,
                self._timeouts[handler.job_type],
                seqs,
                [call.idempotency_key for call in valid],
                [call.attempt for call in valid],
                payloads,
                trace,
            )
            if await self._executor.run(work, report) is not None:
                return None
        return [report.outcomes[call.seq] for call in calls]


def _read(
    handler: RegisteredHandler, calls: Sequence[Call], report: "_Report"
) -> tuple[list[Any], Sequence[Call]]:
    """Read all payloads in one call, or one by one where one does not fit; return them and whose they are."""
    keys = [call.idempotency_key for call in calls]
    if len(calls) > 1:
        try:
            whole = b"[%b]" % b",".join([call.payload for call in calls])
            return handler.payloads.read_slice(whole, keys), calls
        except InvalidPayloadError:
            pass
    payloads: list[Any] = []
    valid = []
    for call in calls:
        try:
            payloads.append(handler.payloads.read_one(call.payload, call.idempotency_key))
            valid.append(call)
        except InvalidPayloadError as error:
            report.done(call.seq, Failed(error.message, INVALID_PAYLOAD, permanent=True))
    return payloads, valid


class _Report:
    def __init__(self) -> None:
        self.outcomes: dict[int, Outcome] = {}

    def started(self, seq: int) -> None:
        """Only the ledger keeps when an item started."""

    def all_started(self, seqs: Sequence[int]) -> None:
        """As above."""

    def never_started(self, seqs: Sequence[int]) -> None:
        """As above."""

    def done(self, seq: int, outcome: Outcome) -> None:
        self.outcomes[seq] = outcome

    def all_done(self, seqs: Sequence[int], outcomes: Sequence[Outcome]) -> None:
        self.outcomes.update(zip(seqs, outcomes, strict=True))
