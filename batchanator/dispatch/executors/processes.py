"""Handlers that compute, in child processes: each item in one of them, whose death is that item's alone."""

import asyncio
import pickle
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from time import monotonic
from typing import Any

import structlog

from batchanator.dispatch.executor import Lost, Report, SliceWork
from batchanator.dispatch.executors.children import Child, ChildDiedError
from batchanator.dispatch.tickets import Ticket
from batchanator.domain.outcomes import Failed, Outcome
from batchanator.handlers.answers import DEAF_SECONDS, failure_from, storable, timed_out
from batchanator.handlers.context import JobContext, SliceContext
from batchanator.handlers.registered import RegisteredHandler

CRASHED = "crashed"
_PAUSE_SECONDS = 1.0
_log = structlog.get_logger("batchanator.dispatch")


class ProcessExecutor:
    """`sources` name the handlers that children import; `set_up` is called in each child first, and is pickled."""

    def __init__(self, count: int, sources: Sequence[str], set_up: Callable[[], None]) -> None:
        self._count = count
        self._sources = sources
        self._set_up = set_up
        self._queue: deque[tuple[Ticket, int | None]] = deque()
        self._more = asyncio.Event()
        self._tickets: set[Ticket] = set()
        self._busy: dict[Ticket, set[Child]] = {}
        self._ending: list[Child] = []
        self._slots: list[asyncio.Task[None]] = []
        self._closing = False

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._slots = [loop.create_task(self._keep(), name="child") for _ in range(self._count)]

    def capacity(self) -> int:
        return self._count

    def accepts(self, _handler: RegisteredHandler) -> bool:
        return True

    @property
    def stuck(self) -> Mapping[str, int]:
        """Children that were killed and have not ended: the system waits for something on their behalf."""
        self._ending = [child for child in self._ending if child.is_alive]
        late = monotonic() - DEAF_SECONDS
        return {"children": sum(0 < child.killed_at < late for child in self._ending)}

    async def run(self, work: SliceWork, report: Report) -> Lost | None:
        if self._closing:
            return Lost("the executor is closing")
        ticket = Ticket(work, report, asyncio.get_running_loop().create_future())
        self._tickets.add(ticket)
        indexes = [None] if work.handler.whole_slice else range(len(work.seqs))
        self._queue.extend((ticket, index) for index in indexes)
        self._more.set()
        try:
            await ticket.done
        except asyncio.CancelledError:
            ticket.dropped = True
            for child in self._busy.get(ticket, ()):
                self._kill(child)
            raise
        finally:
            self._tickets.discard(ticket)
        return ticket.lost

    def withdraw(self, report: Report) -> None:
        for ticket in [one for one in self._tickets if one.report is report]:
            self._withdraw(ticket)

    def _withdraw(self, ticket: Ticket) -> None:
        kept = deque(entry for entry in self._queue if entry[0] is not ticket)
        gone = len(self._queue) - len(kept)
        if not gone:
            return
        self._queue = kept
        ticket.lost = Lost("withdrawn before its end")
        ticket.less(len(ticket.work.seqs) if ticket.work.handler.whole_slice else gone)

    async def close(self, grace: timedelta) -> None:
        self._closing = True
        waits = [ticket.done for ticket in self._busy]
        if waits and grace > timedelta(0):
            await asyncio.wait(waits, timeout=grace.total_seconds())
        for slot in self._slots:
            slot.cancel()
        if self._slots:
            await asyncio.wait(self._slots, timeout=DEAF_SECONDS)
        ends = [asyncio.wrap_future(child.ended) for child in self._ending]
        if ends:
            await asyncio.wait(ends, timeout=DEAF_SECONDS)
        for child in self._ending:
            child.kill()

    def _kill(self, child: Child) -> None:
        child.kill()
        if child not in self._ending:
            self._ending.append(child)

    async def _keep(self) -> None:
        """Run one entry after the other, in a child that is replaced when it died."""
        child: Child | None = None
        try:
            while True:
                while not self._queue:
                    self._more.clear()
                    await self._more.wait()
                if child is None:
                    child = await self._fresh()
                    continue  # the queue may be empty now
                ticket, index = self._queue.popleft()
                if not ticket.dropped and not await self._one(child, ticket, index):
                    child = None
        finally:
            if child is not None and not child.killed_at:
                child.close()
                self._ending.append(child)

    async def _fresh(self) -> Child | None:
        child = Child(self._sources, self._set_up)
        try:
            await asyncio.wrap_future(child.ready)
        except ChildDiedError as error:  # no item's fault: it has none yet
            _log.error("child.not_started", error=str(error))
            await asyncio.sleep(_PAUSE_SECONDS)
            return None
        except asyncio.CancelledError:
            self._kill(child)
            raise
        return child

    async def _one(self, child: Child, ticket: Ticket, index: int | None) -> bool:
        """Run an entry; False where the child is gone afterwards."""
        work = ticket.work
        seqs = work.seqs if index is None else [work.seqs[index]]
        self._busy.setdefault(ticket, set()).add(child)
        ticket.report.all_started(seqs)
        lives = False
        try:
            outcomes, lives = await self._ask(child, work, index)
        finally:
            self._busy[ticket].discard(child)
            if not self._busy[ticket]:
                del self._busy[ticket]
            if not lives:
                self._kill(child)
        if not ticket.dropped:
            answers = outcomes if isinstance(outcomes, list) else [outcomes] * len(seqs)
            ticket.report.all_done(seqs, answers)
            ticket.less(len(seqs))
        return lives

    async def _ask(
        self, child: Child, work: SliceWork, index: int | None
    ) -> tuple[list[Outcome] | Failed, bool]:
        """Return the outcomes, or one failure for all, and whether the child lives."""
        deadline = monotonic() + work.timeout_seconds
        try:
            answer = child.ask(pickle.dumps((work.handler.source, *_call(work, index, deadline))))
        except Exception as error:  # noqa: BLE001 - a payload that cannot be sent
            return failure_from(error), True
        try:
            done, _ = await asyncio.wait([answer], timeout=work.timeout_seconds)
            if not done:
                return timed_out(work.timeout_seconds), False
            return [storable(one) for one in pickle.loads(answer.result())], True  # noqa: S301 - our child's
        except ChildDiedError as error:
            return Failed(str(error), CRASHED), False
        except Exception as error:  # noqa: BLE001 - a result that cannot be read here
            return failure_from(error), True
        finally:
            answer.cancel()


def _call(work: SliceWork, index: int | None, deadline: float) -> tuple[int, Any, JobContext | SliceContext]:
    """Return how many outcomes a call has, its payload or payloads, and its context."""
    if index is None:
        return len(work.seqs), work.payloads, work.slice_context(deadline)
    return 1, work.payloads[index], work.context(index, deadline)
