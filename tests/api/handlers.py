"""Handlers to test the API with: what each does is in its payload."""

import asyncio
import threading
from collections.abc import Sequence
from contextlib import suppress
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from batchanator import Failed, JobContext, Outcome, Skipped, SliceContext, Succeeded, handler

left: ContextVar[str] = ContextVar("left")
released = threading.Event()
"""Lets go what hangs and cannot be cancelled."""


class Plan(BaseModel):
    does: str = "succeed"
    value: Any = None


@handler("echo", max_retry_delay=0.05, max_attempts=2)
async def echo(plan: Plan, context: JobContext) -> Outcome | None:
    match plan.does:
        case "succeed":
            return Succeeded(plan.value)
        case "fail":
            return Failed("it broke", code="broken", retry_after=timedelta(seconds=1.5))
        case "die":
            return Failed("it never works", code="hopeless", permanent=True)
        case "skip":
            return Skipped("not wanted")
        case "raise":
            raise ValueError(plan.value)
        case "cancel":
            raise asyncio.CancelledError
        case "hang":
            await asyncio.Event().wait()
        case "be deaf":
            while not released.is_set():
                with suppress(asyncio.CancelledError):
                    await asyncio.sleep(0.05)
        case "context":
            return Succeeded(
                [context.idempotency_key, context.job_id, context.seq, context.attempt, context.fence]
            )
        case "leave":
            left.set("here")
        case "look":
            return Succeeded(left.get(None))
        case "exit":
            raise SystemExit(3)
        case "bad result":
            return Succeeded({"never": float})
        case _:
            raise AssertionError(plan)
    return None


@handler("threaded")
def threaded(plan: Plan) -> Outcome:
    if plan.does == "hang":
        released.wait(20)
    return Succeeded(threading.current_thread().name)


@handler("slices", slice_size=10)
async def slices(plans: Sequence[Plan], context: SliceContext) -> list[Outcome | None]:
    if any(plan.does == "raise" for plan in plans):
        raise ValueError("all of them")
    if any(plan.does == "short" for plan in plans):
        return []
    return [Succeeded([len(plans), one.seq]) for one in context.items]
