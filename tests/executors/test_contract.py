"""What holds of every executor: in this process, in threads, in children, over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from batchanator.domain.outcomes import Failed, Skipped, Succeeded
from tests.executors import handlers
from tests.executors.running import DEADLINE, KINDS, Bench, Noted, bench, until


@pytest.fixture(params=KINDS)
async def here(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    handlers.released.clear()
    async with bench(request.param, tmp_path) as found:
        yield found
        handlers.released.set()


@pytest.fixture
def kind(request: pytest.FixtureRequest, here: Bench) -> str:
    return str(request.node.callspec.params["here"])


async def test_each_item_gets_its_own_outcome(here: Bench) -> None:
    noted, lost = await here.run("succeed", "skip", "fail", "succeed")
    assert lost is None
    assert noted.outcomes == {
        10: Succeeded("key-10"),
        20: Skipped("not wanted"),
        30: Failed("no", "refused", 3, permanent=True),
        40: Succeeded("key-40"),
    }
    assert noted.begun == {10, 20, 30, 40}


async def test_what_no_pickle_takes_is_a_failed_attempt_like_any_other(here: Bench) -> None:
    noted, lost = await here.run("raise", "succeed", "exit")
    assert lost is None
    assert noted.outcomes[10] == Failed("HeldError: it holds a lock", "HeldError")
    assert noted.outcomes[20] == Succeeded("key-20")
    assert noted.outcomes[30] == Failed("SystemExit: 3", "SystemExit")


async def test_a_result_of_five_megabytes_arrives(here: Bench) -> None:
    noted, lost = await here.run("big", "succeed")
    assert lost is None
    assert noted.outcomes == {10: Succeeded("x" * handlers.BIG), 20: Succeeded("key-20")}


async def test_what_hangs_has_failed_at_its_time_out_and_the_next_work_runs(here: Bench, kind: str) -> None:
    noted, lost = await here.run("hang", "hang", seconds=0.3)
    assert lost is None
    assert noted.outcomes == dict.fromkeys((10, 20), Failed("no answer within 0.3 s", "timeout"))
    assert sum(here.executor.stuck.values()) == (2 if kind == "threads" else 0)
    after, lost = await here.run("succeed")
    assert (after.outcomes, lost) == ({10: Succeeded("key-10")}, None)
    handlers.released.set()
    await until(lambda: not sum(here.executor.stuck.values()))
    assert set(noted.outcomes) == {10, 20}, "a late answer is nobody's"


async def test_a_cancelled_work_gets_no_outcome_and_the_next_one_runs(here: Bench) -> None:
    noted = Noted()
    task = asyncio.ensure_future(here.executor.run(here.work(["hang"] * 6), noted))
    async with asyncio.timeout(DEADLINE):
        await noted.has_begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    handlers.released.set()
    after, lost = await here.run("succeed")
    assert (after.outcomes, lost) == ({10: Succeeded("key-10")}, None)
    assert noted.outcomes == {}


async def test_a_slice_with_too_few_outcomes_has_failed_as_a_whole(here: Bench) -> None:
    noted, lost = await here.run("succeed", "fail", whole=True)
    assert (set(noted.outcomes), lost) == ({10, 20}, None)
    assert noted.outcomes[10] == Succeeded("key-10")
    noted, lost = await here.run("skip", "succeed", whole=True)
    few = "the slice handler returned 1 outcomes for 2 payloads"
    assert (noted.outcomes, lost) == (dict.fromkeys((10, 20), Failed(few, "invalid_outcome")), None)


async def test_what_was_withdrawn_does_not_start(here: Bench, kind: str) -> None:
    noted = Noted()
    task = asyncio.ensure_future(here.executor.run(here.work(["hang"] * 9, seconds=0.5), noted))
    async with asyncio.timeout(DEADLINE):
        await noted.has_begun.wait()
        here.executor.withdraw(noted)
        lost = await task
    assert set(noted.outcomes) == noted.begun
    if kind != "http slice":
        assert lost is not None
        assert len(noted.begun) < 9


async def test_parts_of_a_slice_run_beside_each_other(here: Bench) -> None:
    noted = Noted()
    parts = [replace(here.work(["succeed"]), seqs=[seq]) for seq in (10, 20, 30)]
    async with asyncio.timeout(DEADLINE):
        ended = await asyncio.gather(*(here.executor.run(part, noted) for part in parts))
    assert ended == [None] * 3
    assert noted.outcomes.keys() == {10, 20, 30}
