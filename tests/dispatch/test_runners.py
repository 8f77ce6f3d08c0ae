"""A fault of ours costs the work it met, never a runner."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from batchanator import handler
from batchanator.dispatch.executor import Lost, SliceWork
from batchanator.dispatch.runners import LocalExecutor
from batchanator.domain.outcomes import Outcome
from batchanator.handlers.registered import from_function
from tests.dispatch.running import DEADLINE, until


class Nothing(BaseModel):
    pass


class Noted:
    def __init__(self, *, breaks: str = "") -> None:
        self.seqs: list[int] = []
        self._breaks = breaks

    def started(self, seq: int) -> None:
        if self._breaks == "started":
            raise ZeroDivisionError

    def never_started(self, seqs: Sequence[int]) -> None:
        raise AssertionError("everything here is started once")

    def done(self, seq: int, outcome: Outcome) -> None:
        if self._breaks == "done":
            raise ZeroDivisionError
        self.seqs.append(seq)

    def all_started(self, seqs: Sequence[int]) -> None:
        raise AssertionError

    def all_done(self, seqs: Sequence[int], outcomes: Sequence[Outcome]) -> None:
        raise AssertionError


@handler("plain")
async def plain(payload: Nothing) -> None:
    await asyncio.sleep(0)


def work(function: Any, count: int = 3) -> SliceWork:
    seqs = list(range(1, count + 1))
    return SliceWork(
        function, 1, 1, count, 1, 30.0, seqs, [f"k{n}" for n in seqs], [1] * count, [Nothing()] * count
    )


@pytest.fixture
async def executor() -> AsyncIterator[LocalExecutor]:
    executor = LocalExecutor(1)
    executor.start()
    yield executor
    await executor.close(timedelta(0))


@pytest.mark.parametrize("where", ["started", "done"])
async def test_a_report_that_breaks_is_told_to_whoever_waits_and_the_runner_goes_on(
    executor: LocalExecutor, where: str
) -> None:
    async with asyncio.timeout(DEADLINE):
        with pytest.raises(ZeroDivisionError):
            await executor.run(work(from_function(plain)), Noted(breaks=where))
        report = Noted()
        assert await executor.run(work(from_function(plain)), report) is None
    assert report.seqs == [1, 2, 3]


async def test_a_runner_that_is_ended_from_outside_is_replaced(executor: LocalExecutor) -> None:
    (runner,) = [task for task in asyncio.all_tasks() if task.get_name() == "runner"]
    runner.cancel()
    await until(runner.done)
    async with asyncio.timeout(DEADLINE):
        assert await executor.run(work(from_function(plain)), report := Noted()) is None
    assert report.seqs == [1, 2, 3]


async def test_withdrawn_work_ends_with_what_has_started(executor: LocalExecutor) -> None:
    going, opened = asyncio.Event(), asyncio.Event()

    @handler("waits")
    async def waits(payload: Nothing) -> None:
        going.set()
        await opened.wait()

    report, other = Noted(), Noted()
    async with asyncio.timeout(DEADLINE), asyncio.TaskGroup() as group:
        first = group.create_task(executor.run(work(from_function(waits)), report))
        await going.wait()
        second = group.create_task(executor.run(work(from_function(plain)), other))
        third = group.create_task(executor.run(work(from_function(plain)), unstarted := Noted()))
        await asyncio.sleep(0)
        executor.withdraw(report)
        executor.withdraw(unstarted)
        assert isinstance(await third, Lost)
        opened.set()
    assert isinstance(first.result(), Lost)
    assert second.result() is None
    assert (report.seqs, other.seqs, unstarted.seqs) == ([1], [1, 2, 3], [])
