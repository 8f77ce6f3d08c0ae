"""POST /process and /process/batch: a handler run here and now. A failure is an answer, not an HTTP error."""

import math
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, assert_never

from aiohttp import web

from batchanator.api.admission import caller_of
from batchanator.api.answers import answer, raw_json
from batchanator.api.bodies import Bodies, parse
from batchanator.api.problems import TOO_MANY, UNAVAILABLE, ProblemError, invalid
from batchanator.api.requests import Process, ProcessBatch
from batchanator.api.service import Call, Service
from batchanator.domain.errors import UnknownJobTypeError
from batchanator.domain.outcomes import Failed, Outcome, Skipped, Succeeded
from batchanator.domain.policy import LONGEST_WAIT
from batchanator.handlers.errors import InvalidResultError
from batchanator.handlers.results import INVALID_RESULT, encode_result

UNKNOWN_JOB_TYPE = "unknown_job_type"


class Processing:
    def __init__(self, service: Service, bodies: Bodies) -> None:
        self._registry = service.registry
        self._limits = service.limits
        self._bodies = bodies
        self._handling = service.handling
        self._spans = service.spans

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/process", self.one), web.post("/process/batch", self.batch)]

    async def one(self, request: web.Request) -> web.Response:
        async with self._bodies.read(request, 2 * self._limits.max_line_bytes) as body:
            asked = parse(body, Process)
            call = Call(asked.idempotency_key, bytes(asked.payload), asked.seq, asked.attempt)
            return answer((await self._run(request, asked.job_type, asked.job_id, asked.fence, [call]))[0])

    async def batch(self, request: web.Request) -> web.Response:
        async with self._bodies.read(request, self._limits.max_bytes) as body:
            asked = parse(body, ProcessBatch)
            if len(asked.items) > self._limits.max_items:
                raise ProblemError(
                    TOO_MANY, f"At most {self._limits.max_items} items are run in one request."
                )
            calls = [
                Call(item.idempotency_key, bytes(item.payload), item.seq, item.attempt)
                for item in asked.items
            ]
            if len({call.seq for call in calls}) < len(calls):
                raise invalid("/items", "each item needs a seq of its own: outcomes are told by it")
            answers = await self._run(request, asked.job_type, asked.job_id, asked.fence, calls)
        seqs = [call.seq for call in calls]
        return answer({"outcomes": [{"seq": seq, **one} for seq, one in zip(seqs, answers, strict=True)]})

    async def _run(
        self, request: web.Request, job_type: str, job_id: int, fence: int, calls: Sequence[Call]
    ) -> Sequence[dict[str, Any]]:
        """Run the calls; a job type that the caller is not for is unknown, so that no others of its dispatcher wait."""
        caller = caller_of(request)
        if job_type not in self._registry or not caller.sees(job_type):
            known = [handler.job_type for handler in self._registry if caller.sees(handler.job_type)]
            error = str(UnknownJobTypeError(job_type, known))
            return [_shape(False, error=error, code=UNKNOWN_JOB_TYPE)] * len(calls)
        told: dict[str, str | int] = {
            "job_type": job_type,
            "job": job_id,
            "fence": fence,
            "items": len(calls),
        }
        with self._spans.request(request.headers, told) as span:
            outcomes = await self._handling.run(
                self._registry.get(job_type), job_id, fence, calls, span.trace
            )
            span.tell(Counter(type(one).__name__.lower() for one in outcomes or ()))
        if outcomes is None:
            raise ProblemError(UNAVAILABLE, "This process is stopping.")
        return [outcome_json(outcome) for outcome in outcomes]


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as other programs read it: `retryAfter` in seconds, `skipped` with the reason."""
    match outcome:
        case Succeeded(result):
            try:
                return _shape(True, result=raw_json(encode_result(result)))
            except InvalidResultError as error:
                return _shape(False, error=str(error), code=INVALID_RESULT)
        case Skipped(reason):
            return _shape(True, skipped=reason)
        case Failed(error_text, code, retry_after, permanent):
            return _shape(
                False, error=error_text, code=code, permanent=permanent, retry_after=_seconds(retry_after)
            )
        case _:
            assert_never(outcome)


def _shape(
    success: bool,
    *,
    result: Any = None,
    error: str | None = None,
    code: str | None = None,
    permanent: bool = False,
    retry_after: float | None = None,
    skipped: str | None = None,
) -> dict[str, Any]:
    return {
        "success": success,
        "result": result,
        "error": error,
        "code": code,
        "permanent": permanent,
        "retryAfter": retry_after,
        "skipped": skipped,
    }


def _seconds(wait: object) -> float | None:
    if isinstance(wait, timedelta):
        wait = wait.total_seconds()
    if (
        isinstance(wait, bool)
        or not isinstance(wait, int | float)
        or (isinstance(wait, float) and math.isnan(wait))
    ):
        return None
    return float(min(max(wait, 0), LONGEST_WAIT.total_seconds()))
