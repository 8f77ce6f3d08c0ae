"""Runs a handler here, outside the ledger: no lease, no retry, no record. What it answers is the caller's to keep."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

import structlog

from batchanator.domain.outcomes import Failed, Outcome
from batchanator.handlers.answers import (
    DEAF_SECONDS,
    cancelled_within,
    failure_from,
    storable,
    timed_out,
    to_outcome,
    to_outcomes,
)
from batchanator.handlers.context import JobContext, SliceContext
from batchanator.handlers.errors import INVALID_PAYLOAD, InvalidPayloadError
from batchanator.handlers.registered import RegisteredHandler
from batchanator.handlers.threads import HandlerThreads

_log = structlog.get_logger("batchanator.api")


@dataclass(frozen=True, slots=True)
class Call:
    """One item to run, with what the dispatcher that sent it knows of it."""

    idempotency_key: str
    payload: bytes
    job_id: int
    seq: int
    attempt: int
    fence: int


class HandlerRunner:
    """Runs at most `concurrency` items at a time, plain handlers in `threads`."""

    def __init__(
        self, timeout_of: Callable[[RegisteredHandler], float], concurrency: int, threads: HandlerThreads
    ) -> None:
        self._timeout_of = timeout_of
        self._slots = asyncio.Semaphore(concurrency)
        self._threads = threads

    async def run(self, handler: RegisteredHandler, calls: Sequence[Call]) -> list[Outcome]:
        """Return an outcome for each call, in order; what raises or takes too long has failed."""
        if handler.whole_slice:
            return await self._whole(handler, calls)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._one(handler, call)) for call in calls]
        return [task.result() for task in tasks]

    async def _one(self, handler: RegisteredHandler, call: Call) -> Outcome:
        try:
            payload = handler.payloads.read_one(call.payload, call.idempotency_key)
        except InvalidPayloadError as error:
            return _refused(error)
        async with self._slots:
            seconds = self._timeout_of(handler)
            context = JobContext(
                call.idempotency_key, call.job_id, call.seq, call.attempt, call.fence, monotonic() + seconds
            )
            answer = await self._guarded(handler, payload, context, seconds)
        return storable(answer if isinstance(answer, Failed) else to_outcome(answer))

    async def _whole(self, handler: RegisteredHandler, calls: Sequence[Call]) -> list[Outcome]:
        """Give the payloads that validate to a slice handler, as one list."""
        outcomes: dict[int, Outcome] = {}
        payloads: dict[int, Any] = {}
        for index, call in enumerate(calls):
            try:
                payloads[index] = handler.payloads.read_one(call.payload, call.idempotency_key)
            except InvalidPayloadError as error:
                outcomes[index] = _refused(error)
        if payloads:
            async with self._slots:
                seconds = self._timeout_of(handler)
                context = _slice_context([calls[index] for index in payloads], seconds)
                answer = await self._guarded(handler, list(payloads.values()), context, seconds)
            alike = isinstance(answer, Failed)
            answers = [answer] * len(payloads) if alike else to_outcomes(answer, len(payloads))
            outcomes |= dict(zip(payloads, map(storable, answers), strict=True))
        return [outcomes[index] for index in range(len(calls))]

    async def _guarded(self, handler: RegisteredHandler, payload: Any, context: Any, seconds: float) -> Any:
        """Return what the handler returned, or the failure that its end stands for.

        The task is its own: what the handler leaves in its context ends with it, and one that takes no notice of its
        cancellation keeps nobody waiting.
        """
        is_late = False

        async def answered() -> Any:
            try:
                if handler.is_async:
                    return await handler.call(payload, context)
                return await self._threads.call(handler.call, payload, context)
            except asyncio.CancelledError:
                return timed_out(seconds) if is_late else cancelled_within()
            except GeneratorExit:
                raise
            except BaseException as error:  # noqa: BLE001 - whatever a handler raises is an answer
                return failure_from(error)

        task = asyncio.get_running_loop().create_task(answered(), name="process")
        try:
            await asyncio.wait([task], timeout=seconds)
        finally:
            if not task.done():
                is_late = True
                task.cancel()
                await asyncio.wait([task], timeout=DEAF_SECONDS)
        if task.done():
            return task.result()
        _log.warning("handler.deaf", job=context.job_id)
        return timed_out(seconds)


def _refused(error: InvalidPayloadError) -> Failed:
    return Failed(error.message, INVALID_PAYLOAD, permanent=True)


def _slice_context(calls: Sequence[Call], seconds: float) -> SliceContext:
    return SliceContext(
        calls[0].job_id,
        min(call.seq for call in calls),
        max(call.seq for call in calls),
        calls[0].fence,
        keys=[call.idempotency_key for call in calls],
        seqs=[call.seq for call in calls],
        attempts=[call.attempt for call in calls],
        monotonic_deadline=monotonic() + seconds,
    )
