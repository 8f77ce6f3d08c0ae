"""Handlers at another address: an item by POST /process, or a slice by POST /process/batch.

Nothing is tried again inside an attempt. What was never sent goes back with its slice at once and costs nothing; what
may have run is lost, and runs again under a higher fence with the same key. An attempt's time-out ends its request.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from batchanator.dispatch.executors import messages
from batchanator.dispatch.executors.messages import (
    UNKNOWN_JOB_TYPE,
    BatchItem,
    BatchRequest,
    ProcessRequest,
    by_seq,
    read_batch,
    read_one,
)
from batchanator.dispatch.executors.target import Target
from batchanator.dispatch.runners import LocalExecutor
from batchanator.domain.outcomes import Failed, Outcome
from batchanator.domain.policy import HandlerPolicy
from batchanator.handlers.context import JobContext, SliceContext
from batchanator.handlers.payloads import RawReader
from batchanator.handlers.registered import RegisteredHandler

_RAW = RawReader()
_NO_WORD_OF_ITS_OWN = HandlerPolicy()


class HttpExecutor(LocalExecutor):
    """Runners that wait for answers in place of handlers."""

    def __init__(self, target: Target, concurrency: int) -> None:
        super().__init__(concurrency)
        self._target = target

    def start(self) -> None:
        self._target.open()
        super().start()

    def accepts(self, handler: RegisteredHandler) -> bool:
        return self._target.accepts(handler.job_type)

    async def close(self, grace: timedelta) -> None:
        await super().close(grace)
        await self._target.close()


def remote_handler(target: Target, job_type: str, *, whole_slice: bool) -> RegisteredHandler:
    """Return the handler of a job type as it looks from here: a request."""
    remote = _Remote(target, job_type)
    return RegisteredHandler(
        job_type,
        target.url,
        is_async=True,
        whole_slice=whole_slice,
        call=remote.send_slice if whole_slice else remote.send_item,
        payloads=_RAW,
        policy=_NO_WORD_OF_ITS_OWN,
        place="elsewhere",
    )


class _Remote:
    __slots__ = ("_job_type", "_target")

    def __init__(self, target: Target, job_type: str) -> None:
        self._target = target
        self._job_type = job_type

    async def send_item(self, payload: Any, context: JobContext) -> Outcome:
        request = ProcessRequest(
            self._job_type,
            context.idempotency_key,
            context.job_id,
            context.seq,
            context.attempt,
            context.fence,
            payload,
        )
        body = await self._target.post("/process", self._job_type, messages.encode(request))
        answer = body if isinstance(body, Failed) else read_one(body)
        if isinstance(answer, Failed):
            return answer
        if answer.code == UNKNOWN_JOB_TYPE:
            raise self._target.unknown(self._job_type)
        self._target.knows(self._job_type)
        return answer.outcome()

    async def send_slice(self, payloads: Sequence[Any], context: SliceContext) -> Sequence[Outcome]:
        items = [
            BatchItem(one.seq, one.idempotency_key, one.attempt, payload)
            for one, payload in zip(context.items, payloads, strict=True)
        ]
        request = BatchRequest(self._job_type, context.job_id, context.fence, items)
        body = await self._target.post("/process/batch", self._job_type, messages.encode(request))
        answers = body if isinstance(body, Failed) else read_batch(body)
        if isinstance(answers, Failed):
            return [answers] * len(items)
        if any(answer.code == UNKNOWN_JOB_TYPE for answer in answers):
            raise self._target.unknown(self._job_type)
        self._target.knows(self._job_type)
        return by_seq(answers, [item.seq for item in items])
