import asyncio
from collections.abc import Sequence

from batchanator.dispatch.executor import Lost, Report, SliceWork, UnansweredError


class Ticket:
    """A work that is in the executor: its report, what is still to come, and whether anyone still wants it."""

    __slots__ = ("done", "dropped", "left", "lost", "report", "work")

    def __init__(self, work: SliceWork, report: Report, done: asyncio.Future[None]) -> None:
        self.work = work
        self.report = report
        self.done = done
        self.left = len(work.seqs)
        self.dropped = False
        self.lost: Lost | None = None

    def unanswered(self, seqs: Sequence[int], error: UnansweredError) -> None:
        if not error.may_have_run:
            self.report.never_started(seqs)
        self.lost = Lost(str(error))
        self.less(len(seqs))

    def less(self, count: int) -> None:
        self.left -= count
        if self.left <= 0 and not self.done.done():
            self.done.set_result(None)
