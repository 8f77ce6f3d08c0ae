"""Children that die, that cannot start, that do not go away."""

import os
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from batchanator.dispatch.executors.processes import ProcessExecutor
from batchanator.domain.errors import HandlerError
from batchanator.domain.outcomes import Failed, Succeeded
from batchanator.handlers.base import handler
from batchanator.handlers.registry import Registry
from tests.executors import handlers
from tests.executors.running import Bench, bench, nothing, registry, until


async def test_the_death_of_a_child_is_the_attempt_of_its_item_alone(tmp_path: Path) -> None:
    async with bench("processes", tmp_path) as here:
        noted, lost = await here.run("succeed", "die", "succeed", "die", "succeed")
    assert lost is None
    died = Failed("its process ended with exit code 13", "crashed")
    fine = {seq: Succeeded(f"key-{seq}") for seq in (10, 30, 50)}
    assert noted.outcomes == {**fine, 20: died, 40: died}


async def test_a_result_that_no_pickle_takes_has_no_json_form_either(tmp_path: Path) -> None:
    async with bench("processes", tmp_path) as here:
        noted, _ = await here.run("odd")
    outcome = noted.outcomes[10]
    assert isinstance(outcome, Failed)
    assert outcome.code == "invalid_result"


async def test_a_child_that_does_not_end_when_it_is_killed_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bench("processes", tmp_path) as here:
        with monkeypatch.context() as deaf:
            kept: list[BaseProcess] = []

            def survive(process: BaseProcess) -> None:
                kept.append(process)

            deaf.setattr(BaseProcess, "kill", survive)
            noted, _ = await here.run("hang", seconds=0.2)
            assert noted.outcomes[10] == Failed("no answer within 0.2 s", "timeout")
            await until(lambda: here.executor.stuck["children"] == 1)
        assert (await here.run("succeed"))[0].outcomes == {10: Succeeded("key-10")}
        kept[0].kill()
        await until(lambda: not here.executor.stuck["children"])


async def test_a_handler_is_started_and_stopped_in_the_child(capfd: pytest.CaptureFixture[str]) -> None:
    opened = registry().get("opened")
    executor = ProcessExecutor(1, [opened.source], nothing)
    executor.start()
    here = Bench(executor, opened, opened, raw=False)
    noted, _ = await here.run("succeed", "succeed")
    await executor.close(timedelta(0))
    outcomes = list(noted.outcomes.values())
    assert outcomes[0] == outcomes[1]
    assert isinstance(outcomes[0], Succeeded)
    started_in, runs_in, parent = outcomes[0].result
    assert started_in == runs_in != os.getpid() == parent
    assert capfd.readouterr().out == "stopped\n"


def test_a_handler_that_no_child_could_import_is_refused() -> None:
    @handler("inside", cpu_bound=True)
    def inside(ask: handlers.Ask) -> None:
        """Nobody can import it."""

    @handler("asynchronous", cpu_bound=True)
    async def asynchronous(ask: handlers.Ask) -> None:
        """It would hold up the child's loop, and nothing is gained."""

    for one in (inside, asynchronous):
        with pytest.raises(HandlerError, match="is cpu_bound: it must be a plain def"):
            Registry().add(one)
