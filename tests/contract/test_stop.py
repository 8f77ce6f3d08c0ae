"""Cancel, and a failed source: no claim begins after it, what is free is cancelled, leased slices keep their end."""

import pytest

from batchanator.domain.errors import ConflictError, LeaseLostError, NotFoundError
from batchanator.domain.submission import Entry, JobOptions
from batchanator.store.store import Repositories
from tests.contract.world import BAD, FATAL, LATER, SKIP, World, entries, portion, settlement


async def test_a_cancel_says_what_was_free_and_the_sweep_ends_the_job(world: World) -> None:
    job = await world.job(10, slice_size=3)
    assert await world.operations.cancel(job, actor="me") == 10
    assert await world.claim(await world.worker()) == []
    assert await world.duties.sweep() == 4
    assert await world.status(job) == "cancelled"
    assert await world.counts(job) == {"cancelled": 10}
    assert await world.events(job) == [(1, "cancelled")]
    runs = await world.fetch("SELECT status, worker FROM runs")
    assert runs == [{"status": "cancelled", "worker": None}] * 4
    items = await world.items(job)
    assert {(row["status"], row["attempts"]) for row in items} == {("cancelled", 0)}


async def test_leased_slices_end_by_their_settle_with_their_true_outcomes(world: World) -> None:
    job = await world.job(4, slice_size=2)
    worker = await world.worker()
    claimed = await world.claim_one(worker)
    assert await world.operations.cancel(job, actor="me") == 2
    await world.duties.sweep()
    assert await world.status(job) == "processing"
    await world.settle(worker, claimed, {2: SKIP})
    assert await world.counts(job) == {"succeeded": 1, "skipped": 1, "cancelled": 2}
    assert await world.status(job) == "cancelled"


async def test_a_failed_attempt_of_a_stopping_job_ends_cancelled_with_its_error_kept(world: World) -> None:
    job = await world.job(3)
    worker = await world.worker()
    claimed = await world.claim_one(worker)
    await world.operations.cancel(job, actor="me")
    (settled,) = await world.settle(worker, claimed, {2: LATER, 3: FATAL})
    assert settled.job_ended
    row = await world.outcome(job, 2)
    assert (row["status"], row["error"], row["error_code"]) == ("cancelled", "it broke", "Broken")
    assert (row["attempts"], row["next_attempt_at"]) == (1, None)
    assert len(await world.store.items.attempts(job_id=job, seq=2)) == 1
    assert await world.counts(job) == {"succeeded": 1, "dead": 1, "cancelled": 1}


async def test_a_flushed_failure_of_a_stopping_job_is_cancelled_and_lowers_open(world: World) -> None:
    job = await world.job(3)
    worker = await world.worker()
    claimed = await world.claim_one(worker)
    await world.operations.cancel(job, actor="me")
    await world.flush(worker, claimed, {1: BAD})
    assert (await world.slice(job))["open"] == 2
    await world.settle(worker, claimed, flushed=[1])
    assert await world.counts(job) == {"succeeded": 2, "cancelled": 1}


async def test_retrying_items_become_cancelled_and_keep_attempts_and_error(world: World) -> None:
    job = await world.job(4)
    await world.run({1: LATER, 3: BAD})
    assert await world.operations.cancel(job, actor="me") == 2
    assert await world.duties.sweep() == 1
    for seq in (1, 3):
        row = await world.outcome(job, seq)
        assert (row["status"], row["attempts"], row["next_attempt_at"]) == ("cancelled", 1, None)
        assert (row["error"], row["error_code"]) == ("it broke", "Broken")
    assert await world.counts(job) == {"succeeded": 2, "cancelled": 2}
    assert len(await world.fetch("SELECT first_seq FROM runs")) == 1


async def test_a_slice_with_flushed_rows_is_cancelled_but_for_these(world: World) -> None:
    job = await world.job(4)
    dead = await world.worker()
    claimed = await world.claim_one(dead)
    await world.flush(dead, claimed, {1: SKIP, 2: LATER})
    await world.die(dead)
    await world.duties.recover()
    await world.operations.cancel(job, actor="me")
    await world.duties.sweep()
    assert await world.statuses(job) == {1: "skipped", 2: "cancelled", 3: "cancelled", 4: "cancelled"}


async def test_the_sweep_is_a_standing_duty(world: World) -> None:
    """A slice that a lapse or a release makes free after the first sweep is cancelled by the next."""
    job = await world.job(2, slice_size=1)
    dead, leaving = await world.worker(), await world.worker()
    await world.claim(dead, 1)
    (left,) = await world.claim(leaving, 1)
    await world.operations.cancel(job, actor="me")
    assert await world.duties.sweep() == 0
    await world.die(dead)
    await world.duties.recover()
    assert await world.duties.sweep() == 1
    assert await world.status(job) == "processing"
    await world.release(leaving, left, started=True)
    assert await world.duties.sweep() == 1
    assert await world.status(job) == "cancelled"
    assert await world.events(job) == [(1, "cancelled")]


async def test_the_sweep_goes_by_the_fence_that_it_read(world: World) -> None:
    """A slice that was claimed, settled and freed between the sweep's look and its settle is not cancelled by it."""
    job = await world.job(3)
    worker = await world.worker()
    claimed = await world.claim_one(worker)
    await world.release(worker, claimed, started=False)
    seen = (await world.slice(job))["fence"]
    again = await world.claim_one(worker)
    await world.settle(worker, again, {2: BAD})
    await world.duties.promote()
    await world.operations.cancel(job, actor="me")
    row, items = settlement(claimed, {}, state=0, fence=seen)
    row = row._replace(run_status="cancelled")
    assert await world.store.slices.settle(worker=None, slices=[row], items=items) == []
    assert await world.counts(job) == {"succeeded": 2, "retrying": 1}
    await world.duties.sweep()
    assert await world.counts(job) == {"succeeded": 2, "cancelled": 1}


async def test_only_the_stopping_jobs_slices_are_swept(world: World) -> None:
    stopped, other = await world.job(2), await world.job(2)
    await world.operations.cancel(stopped, actor="me")
    await world.duties.sweep()
    assert await world.counts(other) == {"pending": 2}
    assert await world.duties.sweep() == 0


async def test_more_slices_than_a_page_are_swept(world: World) -> None:
    job = await world.job(450, slice_size=1)
    await world.operations.cancel(job, actor="me")
    assert await world.duties.sweep() == 450
    assert await world.counts(job) == {"cancelled": 450}


async def test_a_step_of_the_sweep_is_bounded_by_items_too(world: World) -> None:
    job = await world.job(40, slice_size=10)
    await world.run(dict.fromkeys(range(1, 41), LATER))
    await world.operations.cancel(job, actor="me")
    page = await world.store.slices.cancellable(limit=200, rows=15)
    assert {row["first_seq"] for row in page} == {1, 11}
    assert len(page) == 20
    assert await world.duties.sweep() == 4
    assert await world.counts(job) == {"cancelled": 40}


async def test_a_stop_fences_the_ingester_and_seals_the_job(world: World) -> None:
    job = await world.empty_job()
    writer = await world.ingester(job)
    await world.writes(writer, entries(["a", "b"]))
    assert await world.operations.cancel(job, actor="me") == 2
    assert (await world.get(job))["sealed_at"] is not None
    row = await world.one("SELECT ingest_fence, ingest_worker FROM jobs WHERE id = :job", job=job)
    assert row["ingest_fence"] > writer.checkpoint.ingest_fence
    assert row["ingest_worker"] is None
    with pytest.raises(LeaseLostError):
        await world.writes(writer, entries(["c"]))
    assert not await world.seal(job, writer)
    assert await world.store.jobs.take_ingestion(job_id=job, worker=await world.worker()) is None
    await world.duties.sweep()
    assert (await world.get(job))["lines"] == 2
    assert await world.status(job) == "cancelled"


async def test_cancelling_before_anything_is_ingested_ends_the_job_at_once(world: World) -> None:
    job = await world.empty_job()
    assert await world.operations.cancel(job, actor="me") == 0
    assert await world.status(job) == "cancelled"
    assert await world.events(job) == [(1, "cancelled")]


async def test_a_job_stops_once(world: World) -> None:
    job = await world.job(2)
    await world.operations.cancel(job, actor="me")
    for _ in range(2):
        with pytest.raises(ConflictError):
            await world.operations.cancel(job, actor="me")
        await world.duties.sweep()
    with pytest.raises(NotFoundError):
        await world.operations.cancel(job + 1, actor="me")
    ended = await world.job(1)
    await world.run()
    with pytest.raises(ConflictError):
        await world.operations.cancel(ended, actor="me")
    assert await world.status(ended) == "completed"


async def test_a_failed_source_ends_the_job_failed_with_what_was_accepted_listed(world: World) -> None:
    job = await world.empty_job()
    writer = await world.ingester(job)
    await world.writes(writer, entries(["a", "b"]))

    async def fail(tx: Repositories) -> int | None:
        fence = writer.checkpoint.ingest_fence
        return await tx.jobs.stop(
            job_id=job,
            stopping="failed",
            reason="it is cut",
            reason_code="source_cut",
            ingest_fence=fence,
        )

    assert await world.store.transact(fail) == 2
    assert await world.store.transact(fail) is None
    await world.duties.sweep()
    row = await world.get(job)
    assert (row["status"], row["reason_code"], row["accepted"]) == ("failed", "source_cut", 2)
    assert await world.counts(job) == {"cancelled": 2}


async def test_a_source_that_fails_after_another_took_the_ingestion_stops_nothing(world: World) -> None:
    job = await world.empty_job()
    old = await world.ingester(job, worker=(worker := await world.worker()))
    await world.ingester(job, worker=worker)

    async def fail(tx: Repositories) -> int | None:
        return await tx.jobs.stop(
            job_id=job,
            stopping="failed",
            reason="x",
            reason_code="x",
            ingest_fence=old.checkpoint.ingest_fence,
        )

    assert await world.store.transact(fail) is None
    assert (await world.get(job))["stopping"] is None


# -- strict --------------------------------------------------------------------------------------------------------


async def test_a_strict_jobs_slices_are_held_until_the_seal(world: World) -> None:
    strict = JobOptions(strict=True)
    job = await world.empty_job(strict)
    writer = await world.ingester(job, strict)
    await world.writes(writer, entries(["a", "b"]))
    worker = await world.worker()
    assert await world.duties.promote() == 0
    assert await world.claim(worker) == []
    assert await world.seal(job, writer, strict=True)
    assert await world.duties.promote() == 1
    await world.run()
    assert await world.status(job) == "completed"


async def test_a_strict_job_with_a_reject_fails_with_nothing_run(world: World) -> None:
    strict = JobOptions(strict=True)
    job = await world.empty_job(strict)
    writer = await world.ingester(job, strict)
    await world.writes(writer, [*entries(["a", "b"]), Entry("c", b"{")])
    assert await world.seal(job, writer, strict=True)
    assert await world.duties.promote() == 0
    assert await world.claim(await world.worker()) == []
    await world.duties.sweep()
    row = await world.get(job)
    assert (row["status"], row["accepted"], row["rejected"]) == ("failed", 2, 1)
    assert await world.counts(job) == {"cancelled": 2}


# -- pause and resume ----------------------------------------------------------------------------------------------


async def test_no_claim_begins_of_a_paused_job_and_it_goes_on_where_it_was(world: World) -> None:
    job = await world.job(4, slice_size=2)
    worker = await world.worker()
    first = await world.claim_one(worker)
    await world.operations.pause(job, actor="me")
    assert await world.claim(worker) == []
    await world.settle(worker, first)
    assert await world.counts(job) == {"succeeded": 2, "pending": 2}
    await world.operations.resume(job, actor="me")
    await world.run()
    assert await world.status(job) == "completed"


async def test_a_paused_job_may_still_end(world: World) -> None:
    job = await world.job(2)
    worker = await world.worker()
    claimed = await world.claim_one(worker)
    await world.operations.pause(job, actor="me")
    await world.settle(worker, claimed)
    assert await world.status(job) == "completed"
    assert await world.events(job) == [(1, "completed")]
    with pytest.raises(ConflictError):
        await world.operations.pause(job, actor="me")


async def test_a_paused_job_can_be_cancelled(world: World) -> None:
    job = await world.job(2)
    await world.operations.pause(job, actor="me")
    await world.operations.cancel(job, actor="me")
    await world.duties.sweep()
    assert await world.status(job) == "cancelled"


async def test_pausing_and_resuming_twice_changes_nothing(world: World) -> None:
    job = await world.job(2)
    for _ in range(2):
        await world.operations.pause(job, actor="me")
    for _ in range(2):
        await world.operations.resume(job, actor="me")
    rows = await world.fetch("SELECT action, actor FROM actions ORDER BY id")
    assert [tuple(row.values()) for row in rows] == [("pause", "me"), ("resume", "me")]
    for operation in (world.operations.pause, world.operations.resume):
        with pytest.raises(NotFoundError):
            await operation(job + 1, actor="me")


# -- the seal ------------------------------------------------------------------------------------------------------


async def test_a_job_that_is_not_sealed_never_ends(world: World) -> None:
    job = await world.job(2, sealed=False)
    await world.run()
    row = await world.get(job)
    assert (row["status"], row["ended_at"]) == ("ingesting", None)
    assert await world.events(job) == []


async def test_the_seal_ends_a_job_whose_last_item_was_settled_before(world: World) -> None:
    job = await world.empty_job()
    writer = await world.ingester(job)
    await world.writes(writer, entries(["a"]))
    await world.run()
    assert await world.seal(job, writer)
    assert await world.status(job) == "completed"
    assert await world.events(job) == [(1, "completed")]


async def test_a_job_with_nothing_to_do_ends_completed_at_its_seal(world: World) -> None:
    job = await world.job(0)
    assert await world.status(job) == "completed"
    assert await world.events(job) == [(1, "completed")]


async def test_a_job_of_which_every_line_was_a_duplicate_ends_completed(world: World) -> None:
    await world.job(entries(["a", "b"]))
    again = await world.job(entries(["a", "b"]))
    assert await world.status(again) == "completed"
    assert (await world.get(again))["duplicates"] == 2


async def test_a_job_is_sealed_once_and_by_the_holder_of_its_ingestion(world: World) -> None:
    job = await world.empty_job()
    worker = await world.worker()
    old = await world.ingester(job, worker=worker)
    new = await world.ingester(job, worker=worker)
    assert not await world.seal(job, old)
    assert await world.seal(job, new)
    assert not await world.seal(job, new)
    assert await world.events(job) == [(1, "completed")]


async def test_nothing_is_written_after_the_seal(world: World) -> None:
    job = await world.empty_job()
    writer = await world.ingester(job)
    await world.writes(writer, entries(["a"]))
    await world.seal(job, writer)
    with pytest.raises(LeaseLostError):
        await writer.write(writer.prepare([portion(entries(["b"]), writer)]), position=0)
    assert (await world.get(job))["lines"] == 1
    await world.run()


async def test_who_found_a_source_broken_ends_no_job_that_was_sealed_meanwhile(world: World) -> None:
    job = await world.empty_job()
    writer = await world.ingester(job)
    await world.writes(writer, entries(["a", "b"]))
    assert await world.seal(job, writer)

    async def fail(tx: Repositories) -> int | None:
        return await tx.jobs.stop(
            job_id=job,
            stopping="failed",
            reason="it broke off",
            reason_code="source_broken_off",
            ingest_fence=writer.checkpoint.ingest_fence,
        )

    assert await world.store.transact(fail) is None
    assert await world.status(job) == "processing"
    assert await world.operations.cancel(job, actor="me") == 2
    await world.duties.sweep()
