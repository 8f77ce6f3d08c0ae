"""Runs a handler here, outside the ledger: no lease, no retry, no record. What it answers is the caller's to keep."""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import monotonic
from typing import Any

from batchanator.domain.outcomes import Failed, Outcome
from batchanator.handlers.answers import failure_from, storable, to_outcome, to_outcomes
from batchanator.handlers.context import JobContext, SliceContext
from batchanator.handlers.errors import INVALID_PAYLOAD, InvalidPayloadError
from batchanator.handlers.registered import RegisteredHandler


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
    """Runs at most `concurrency` items at a time, plain handlers in threads of its own."""

    def __init__(self, timeout_of: Callable[[RegisteredHandler], float], concurrency: int) -> None:
        self._timeout_of = timeout_of
        self._slots = asyncio.Semaphore(concurrency)
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="process")

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
        """Return what the handler returned, or the failure that its end stands for."""
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                work: Awaitable[Any] = (
                    handler.call(payload, context)
                    if handler.is_async
                    else self._in_thread(handler.call, payload, context)
                )
                return await work
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            return Failed("the handler was cancelled from within", "CancelledError")
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a handler raises is an answer
            if limit.expired():
                return Failed(f"no answer within {seconds:g} s", "timeout")
            return failure_from(error)

    async def _in_thread(self, call: Callable[[Any, Any], Any], payload: Any, context: Any) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._threads, contextvars.copy_context().run, call, payload, context
        )

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


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
