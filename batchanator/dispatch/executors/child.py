"""What a child process does: it runs one call after the other, whatever the parent sends, until the parent is gone.

Outcomes are made here, of answers and of exceptions alike: what a handler raises need not survive a pipe.
"""

import asyncio
import importlib
import os
import pickle
import signal
import threading
from collections.abc import Callable, Sequence
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from typing import Any

import orjson

from batchanator.domain.outcomes import Failed, Outcome, Succeeded
from batchanator.handlers.answers import failure_from, to_outcome, to_outcomes
from batchanator.handlers.errors import InvalidResultError
from batchanator.handlers.registered import RegisteredHandler
from batchanator.handlers.registry import Registry
from batchanator.handlers.results import INVALID_RESULT, encode_result


def serve(pipe: Connection, sources: Sequence[str], set_up: Callable[[], None]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the parent says when to end
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    set_up()
    with asyncio.Runner() as runner:
        handlers = {source: _started(source, runner) for source in sources}
        pipe.send_bytes(b"ready")
        try:
            while True:
                pipe.send_bytes(_answer(handlers, pipe.recv_bytes()))
        except (EOFError, OSError):  # the parent has closed its end
            for handler in handlers.values():
                if isinstance(handler, RegisteredHandler) and handler.stop is not None:
                    runner.run(_awaited(handler.stop))


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def load(source: str) -> RegisteredHandler:
    """Return the handler that "module:qualname" names."""
    module, _, names = source.partition(":")
    thing: Any = importlib.import_module(module)
    for name in names.split("."):
        thing = getattr(thing, name)
    registry = Registry()
    registry.add(thing)
    (handler,) = registry
    return handler


def _started(source: str, runner: asyncio.Runner) -> RegisteredHandler | BaseException:
    try:
        handler = load(source)
        if handler.start is not None:
            runner.run(_awaited(handler.start))
    except BaseException as error:  # noqa: BLE001 - it is the answer to each call of this handler
        return error
    return handler


async def _awaited(hook: Callable[[], Any]) -> None:
    await hook()


def _answer(handlers: dict[str, RegisteredHandler | BaseException], request: bytes) -> bytes:
    count, outcomes = 1, list[Outcome]()
    try:
        source, count, payload, context = pickle.loads(request)  # noqa: S301 - our own parent wrote it
        handler = handlers[source]
        if isinstance(handler, BaseException):
            outcomes = [failure_from(handler)] * count
        else:
            answer = handler.call(payload, context)
            outcomes = to_outcomes(answer, count) if handler.whole_slice else [to_outcome(answer)]
    except BaseException as error:  # noqa: BLE001 - whatever a handler raises is a failed attempt
        outcomes = [failure_from(error)] * count
    try:
        return pickle.dumps(outcomes)
    except Exception:  # noqa: BLE001 - then in the form that is kept of it
        return pickle.dumps([_plain(outcome) for outcome in outcomes])


def _plain(outcome: Outcome) -> Outcome:
    if not isinstance(outcome, Succeeded):
        return outcome
    try:
        text = encode_result(outcome.result)
    except InvalidResultError as error:
        return Failed(str(error), INVALID_RESULT)
    return Succeeded(None if text is None else orjson.loads(text))
