"""Maintenance by cron: what is stale ends visibly; what ran out of attempts gets one more; nothing else is touched."""

from __future__ import annotations

from datetime import timedelta

import pytest

from batchanator.schedule.maintenance import (
    RETRY_BELOW,
    STALE_REASON,
    TOO_YOUNG,
    DeadLetterRetry,
    StaleJobCleanup,
)
from batchanator.store.records import SliceKey
from tests.contract.world import BAD, FATAL, HOUR, World, entries

DAY = timedelta(hours=24)
AGES = "UPDATE jobs SET created_at = created_at + :age, ingest_left_at = ingest_left_at + :age WHERE id = :job_id"


def cleanup(world: World, *, old: bool = True) -> StaleJobCleanup:
    return StaleJobCleanup(world.store, world.wakeups, old_enough=lambda: old)


async def age(world: World, job_id: int, by: timedelta = DAY) -> None:
    await world.fetch(AGES, age=-by, job_id=job_id)


async def expire(world: World, worker: str, ago: timedelta) -> None:
    await world.fetch(
        "UPDATE workers SET lease_until = clock_timestamp() + :ago WHERE incarnation = :worker",
        ago=-ago,
        worker=worker,
    )


async def test_a_job_that_nobody_has_ingested_for_a_day_ends_failed_and_says_why(world: World) -> None:
    job = await world.empty_job()
    await age(world, job)
    assert await cleanup(world).run() == f"ended job {job}"
    row = await world.get(job)
    assert (row["status"], row["reason"], row["reason_code"]) == ("failed", STALE_REASON, "stale")
    assert await world.fetch("SELECT action, actor FROM actions WHERE job_id = :job_id", job_id=job) == [
        {"action": "stale", "actor": "cron StaleJobCleanup"}
    ]
    assert await cleanup(world).run() == "nothing was stale"


async def test_what_was_accepted_of_a_stale_job_is_cancelled(world: World) -> None:
    job = await world.empty_job()
    worker = await world.worker()
    writer = await world.ingester(job, worker=worker)
    await world.writes(writer, entries(["a", "b"]))
    await expire(world, worker, DAY)
    assert await cleanup(world).run() == f"ended job {job}"
    assert world.wakeups.stopped.is_set()
    await world.duties.sweep()
    assert await world.statuses(job) == {1: "cancelled", 2: "cancelled"}
    assert await world.status(job) == "failed"


@pytest.mark.parametrize(
    "why", ["young", "read", "given back", "lapsed lately", "paused", "sealed", "stopping"]
)
async def test_no_other_job_is_stale(world: World, why: str) -> None:
    job = await (world.job(3) if why == "sealed" else world.empty_job())
    worker = await world.worker()
    if why != "young":
        await age(world, job, 3 * DAY)
    match why:
        case "read" | "lapsed lately" | "given back":
            writer = await world.ingester(job, worker=worker)
            if why == "lapsed lately":
                await expire(world, worker, DAY - HOUR)
            elif why == "given back":
                await world.store.jobs.leave_ingestion(
                    job_id=job, ingest_fence=writer.checkpoint.ingest_fence
                )
                await age(world, job, DAY - HOUR)
        case "paused":
            await world.operations.pause(job, actor="a test")
        case "stopping":
            await world.operations.cancel(job, actor="a test")
        case _:
            pass
    assert await cleanup(world).run() == "nothing was stale"


async def test_a_job_that_was_given_back_a_day_ago_is_stale(world: World) -> None:
    job = await world.empty_job()
    writer = await world.ingester(job)
    await world.store.jobs.leave_ingestion(job_id=job, ingest_fence=writer.checkpoint.ingest_fence)
    await age(world, job)
    assert await cleanup(world).run() == f"ended job {job}"


async def test_a_job_that_waits_behind_an_older_one_that_is_read_is_not_stale(world: World) -> None:
    older, waiting = await world.empty_job(), await world.empty_job()
    worker = await world.worker()
    await world.ingester(older, worker=worker)
    await age(world, waiting, 3 * DAY)
    assert await cleanup(world).run() == "nothing was stale"
    await expire(world, worker, HOUR)
    assert await cleanup(world).run() == f"ended job {waiting}"


async def test_a_job_that_is_taken_meanwhile_is_not_ended(world: World) -> None:
    job = await world.empty_job()
    await age(world, job)
    (found,) = await world.store.jobs.stale(age=DAY)
    await world.ingester(job)
    async with world.store.transaction() as tx:
        stopped = await tx.jobs.stop(
            job_id=job,
            stopping="failed",
            reason=None,
            reason_code=None,
            ingest_fence=found["ingest_fence"],
        )
    assert stopped is None


async def test_a_young_process_judges_nobody(world: World) -> None:
    job = await world.empty_job()
    await age(world, job)
    assert await cleanup(world, old=False).run() == TOO_YOUNG
    assert await world.status(job) == "pending"


# -- dead letters ----------------------------------------------------------------------------------------------


async def dead_for(world: World, job_id: int, ago: timedelta = 2 * HOUR) -> None:
    await world.fetch(
        "UPDATE outcomes SET finished_at = finished_at + :ago, started_at = started_at + :ago WHERE job_id = :job_id",
        ago=-ago,
        job_id=job_id,
    )


async def exhausted(world: World, lines: int = 1, *, ago: timedelta = 2 * HOUR) -> int:
    job = await world.job(lines)
    await world.run_out(dict.fromkeys(range(1, lines + 1), BAD))
    assert set((await world.statuses(job)).values()) == {"dead"}
    await dead_for(world, job, ago)
    return job


def retry(world: World) -> DeadLetterRetry:
    return DeadLetterRetry(world.store, world.wakeups)


async def test_dead_letters_get_one_more_attempt_an_hour_after_their_last(world: World) -> None:
    job = await exhausted(world, 2)
    attempts = (await world.outcome(job, 1))["attempts"]
    assert await retry(world).run() == "2 dead letters got another attempt"
    assert set((await world.statuses(job)).values()) == {"retrying"}
    await world.run({1: BAD})
    assert await world.statuses(job) == {1: "dead", 2: "succeeded"}
    assert (await world.outcome(job, 1))["attempts"] == attempts + 1
    assert await world.status(job) == "partially_completed"
    assert [round_ for round_, _ in await world.events(job)] == [1, 2]
    assert await world.fetch("SELECT action, actor FROM actions WHERE job_id = :job_id", job_id=job) == [
        {"action": "replay", "actor": "cron DeadLetterRetry"}
    ]


async def test_dead_letters_are_tried_up_to_ten_times_in_all(world: World) -> None:
    job = await exhausted(world)
    while (await retry(world).run()).startswith("1 "):
        await world.run({1: BAD})
        await dead_for(world, job)
    assert (await world.outcome(job, 1))["attempts"] == RETRY_BELOW


async def test_at_most_a_hundred_are_revived_at_a_time(world: World) -> None:
    await exhausted(world, 120)
    assert await retry(world).run() == "100 dead letters got another attempt"


async def test_what_died_less_than_an_hour_ago_waits(world: World) -> None:
    await exhausted(world, ago=timedelta(minutes=50))
    assert await retry(world).run() == "0 dead letters got another attempt"


@pytest.mark.parametrize("why", ["permanent", "crashed", "purged", "replaced", "cancelled job", "paused job"])
async def test_nothing_else_is_revived(world: World, why: str) -> None:
    if why == "crashed":
        job = await world.job(entries(["one"]))
        for _ in range(2):
            worker = await world.worker()
            claimed = await world.claim_one(worker)
            assert await world.store.slices.mark_running(
                worker=worker, key=SliceKey(claimed.job_id, claimed.first_seq, claimed.fence), seq=1
            )
            await world.die(worker)
            await world.duties.recover(bury=True)
        await dead_for(world, job)
    elif why == "permanent":
        job = await world.job(entries(["one"]))
        await world.run({1: FATAL})
        await dead_for(world, job)
    else:
        job = await world.job(entries(["one"]), sealed=why != "cancelled job")
        await world.run_out({1: BAD})
        await dead_for(world, job)
    match why:
        case "purged":
            await world.operations.purge(job, actor="a test")
        case "replaced":
            await world.job(entries(["one"], '{"mended": true}'))
        case "cancelled job":
            await world.operations.cancel(job, actor="a test")
        case "paused job":
            await world.fetch("UPDATE jobs SET paused_at = clock_timestamp() WHERE id = :job_id", job_id=job)
        case _:
            pass
    assert await retry(world).run() == "0 dead letters got another attempt"
    assert (await world.statuses(job))[1] == "dead"
    found = await world.store.outcomes.retryable(age=HOUR, below=RETRY_BELOW, limit=100)
    assert found == [], "it would take the place of one that can be revived"
