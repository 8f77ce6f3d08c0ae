"""The same behaviour as every kind of handler; children import it."""

import asyncio
import os
import threading
import time
from typing import Literal

from pydantic import BaseModel

from batchanator import Failed, JobContext, JobHandler, Skipped, SliceContext, Succeeded, handler
from batchanator.domain.outcomes import Outcome

released = threading.Event()
BIG = 5_000_000


class Ask(BaseModel):
    does: Literal["succeed", "skip", "fail", "raise", "hang", "big", "die", "odd", "exit"] = "succeed"


class HeldError(Exception):
    """What no pickle takes."""

    def __init__(self) -> None:
        super().__init__("it holds a lock")
        self.lock = threading.Lock()


def answer(ask: Ask, key: str) -> Outcome:
    match ask.does:
        case "skip":
            return Skipped("not wanted")
        case "fail":
            return Failed("no", "refused", retry_after=3, permanent=True)
        case "raise":
            raise HeldError
        case "big":
            return Succeeded("x" * BIG)
        case "die":
            os._exit(13)
        case "exit":
            raise SystemExit(3)
        case "odd":
            return Succeeded({"made": threading.Lock()})
        case _:
            return Succeeded(key)


@handler("async")
async def on_the_loop(ask: Ask, context: JobContext) -> Outcome:
    if ask.does == "hang":
        await asyncio.sleep(60)
    return answer(ask, context.idempotency_key)


@handler("threads")
def in_a_thread(ask: Ask, context: JobContext) -> Outcome:
    if ask.does == "hang":
        released.wait(60)
    return answer(ask, context.idempotency_key)


@handler("processes", cpu_bound=True)
def in_a_child(ask: Ask, context: JobContext) -> Outcome:
    if ask.does == "hang":
        time.sleep(60)
    return answer(ask, context.idempotency_key)


def few(asks: list[Ask], context: SliceContext) -> list[Outcome]:
    outcomes = [answer(ask, item.idempotency_key) for ask, item in zip(asks, context.items, strict=True)]
    return outcomes[:-1] if asks[0].does == "skip" else outcomes


@handler("async-slices")
async def slices_on_the_loop(asks: list[Ask], context: SliceContext) -> list[Outcome]:
    return few(asks, context)


@handler("threads-slices")
def slices_in_a_thread(asks: list[Ask], context: SliceContext) -> list[Outcome]:
    return few(asks, context)


@handler("processes-slices", cpu_bound=True)
def slices_in_a_child(asks: list[Ask], context: SliceContext) -> list[Outcome]:
    return few(asks, context)


class Opened(JobHandler[Ask]):
    """Started and stopped where it runs."""

    job_type = "opened"
    cpu_bound = True

    def __init__(self) -> None:
        self.pid = 0

    async def start(self) -> None:
        self.pid = os.getpid()

    async def stop(self) -> None:
        print("stopped", flush=True)  # noqa: T201 - the test reads it

    def process(self, payload: Ask, context: JobContext) -> Outcome:
        return Succeeded([self.pid, os.getpid(), os.getppid()])
