"""Whoever waits in the process for the end of a job need not look for it."""

import asyncio

from tests.dispatch.running import DEADLINE
from tests.dispatch.test_odd_handlers import running, submit


async def test_the_end_of_a_job_is_told_in_its_process_once_it_is_committed(database_url: str) -> None:
    async with running(database_url) as runtime:
        job_id = await submit(runtime, "odd", ["plain"] * 3)
        async with asyncio.timeout(DEADLINE):
            await runtime.wakeups.ended.wait()
        job = await runtime.store.jobs.get(job_id)
        assert job is not None
        assert (job["status"], job["succeeded"]) == ("completed", 3)
