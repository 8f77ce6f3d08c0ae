"""Handlers that leave a trace outside the database, and those that do what a handler should not."""

import asyncio
import os
import signal
import time
from typing import Literal

from pydantic import BaseModel

from batchanator.domain.outcomes import Failed, Outcome, Skipped, Succeeded
from batchanator.handlers.base import handler
from batchanator.handlers.context import JobContext, SliceContext

LEDGER = "BATCHANATOR_TEST_LEDGER"
GATE = "BATCHANATOR_TEST_GATE"


class Work(BaseModel):
    """What an item asks of its handler."""

    ms: int = 0
    """How long it takes."""
    fail: int = 0
    """How many attempts fail before one does not."""
    then: Literal["succeed", "skip", "die"] = "succeed"
    crash: Literal["", "kill", "exit"] = ""
    """How it takes its process with it."""


def note(kind: str, context: JobContext) -> None:
    """Append one line in one write: whoever dies afterwards, it is there."""
    one = (context.job_id, context.seq, context.fence, context.attempt, kind, os.getpid())
    line = f"{' '.join(map(str, one))} {context.idempotency_key}\n".encode()
    ledger = os.open(os.environ[LEDGER], os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(ledger, line)
    finally:
        os.close(ledger)


def answer(work: Work, attempt: int) -> Outcome:
    if attempt <= work.fail:
        return Failed(f"attempt {attempt} fails", "asked_for")
    match work.then:
        case "skip":
            return Skipped("asked for")
        case "die":
            return Failed("for good", "asked_for", permanent=True)
        case "succeed":
            return Succeeded({"attempt": attempt})


@handler("ledger")
async def ledger(work: Work, context: JobContext) -> Outcome:
    note("start", context)
    if work.ms:
        await asyncio.sleep(work.ms / 1000)
    note("end", context)
    return answer(work, context.attempt)


@handler("whole")
async def whole(works: list[Work], context: SliceContext) -> list[Outcome]:
    for item in context.items:
        note("start", item)
    await asyncio.sleep(max(work.ms for work in works) / 1000)
    for item in context.items:
        note("end", item)
    return [answer(work, item.attempt) for work, item in zip(works, context.items, strict=True)]


async def gate_opened() -> None:
    """Wait until the FIFO is gone, or nobody holds its writing end any more."""
    loop = asyncio.get_running_loop()
    opened = asyncio.Event()
    try:
        reader = os.open(os.environ[GATE], os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    loop.add_reader(reader, opened.set)
    try:
        await opened.wait()
    finally:
        loop.remove_reader(reader)
        os.close(reader)


@handler("gate", timeout=60)
async def gate(work: Work, context: JobContext) -> Outcome:
    """Wait until the test opens the gate."""
    note("start", context)
    await gate_opened()
    note("end", context)
    return answer(work, context.attempt)


@handler("poison")
async def poison(work: Work, context: JobContext) -> Outcome:
    note("start", context)
    if work.crash == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif work.crash == "exit":
        os._exit(13)
    await asyncio.sleep(work.ms / 1000)
    note("end", context)
    return Succeeded()


@handler("stubborn")
async def stubborn(work: Work, context: JobContext) -> Outcome:
    """Take no notice of a cancellation."""
    note("start", context)
    until = time.monotonic() + work.ms / 1000
    while (left := until - time.monotonic()) > 0:
        try:
            await asyncio.sleep(left)
        except asyncio.CancelledError:
            continue
    note("end", context)
    return Succeeded()


@handler("stubborn-in-time", timeout=0.5, max_attempts=1)
async def stubborn_in_time(work: Work, context: JobContext) -> Outcome:
    return await stubborn(work, context)


@handler("slow", timeout=0.5, max_attempts=2)
async def slow(work: Work, context: JobContext) -> Outcome:
    return await ledger(work, context)


@handler("thread", timeout=0.5, max_attempts=2)
def thread(work: Work, context: JobContext) -> Outcome:
    note("start", context)
    time.sleep(work.ms / 1000)
    note("end", context)
    return answer(work, context.attempt)


@handler("blocker", timeout=60)
async def blocker(work: Work, context: JobContext) -> Outcome:
    """Hold the event loop, as computation does."""
    note("start", context)
    until = time.monotonic() + work.ms / 1000
    while time.monotonic() < until:
        pass
    note("end", context)
    return Succeeded()
