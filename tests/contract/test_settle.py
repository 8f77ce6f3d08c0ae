"""A settle writes what became of items: a run for what plainly succeeded, a row for each that did not."""

import json
from datetime import timedelta

from batchanator.handlers.results import encode_result
from tests.contract.world import BAD, FATAL, GOOD, LATER, READY, SKIP, WAITING, Answer, World


async def test_a_wholly_good_slice_is_one_run_and_no_rows(world: World) -> None:
    job = await world.job(4)
    worker = await world.worker()
    claimed = await world.claim_one(worker)
    (settled,) = await world.settle(worker, claimed)
    assert (settled.job_id, settled.first_seq, settled.job_ended, settled.due_at) == (job, 1, True, None)
    run = await world.one("SELECT * FROM runs")
    assert (run["first_seq"], run["last_seq"], run["status"]) == (1, 4, "succeeded")
    assert (run["fence"], run["worker"]) == (claimed.fence, worker)
    assert run["started_at"] <= run["finished_at"]
    assert await world.fetch("SELECT seq FROM outcomes") == []
    assert await world.slices(job) == []
    items = await world.items(job)
    assert [(row["status"], row["attempts"]) for row in items] == [("succeeded", 1)] * 4


async def test_only_what_is_not_plain_has_a_row_of_its_own(world: World) -> None:
    job = await world.job(5)
    worker = await world.worker()
    await world.settle(worker, await world.claim_one(worker), {2: BAD, 3: SKIP, 5: FATAL})
    assert await world.statuses(job) == {
        1: "succeeded",
        2: "retrying",
        3: "skipped",
        4: "succeeded",
        5: "dead",
    }
    rows = await world.fetch("SELECT seq FROM outcomes ORDER BY seq")
    assert [row["seq"] for row in rows] == [2, 3, 5]
    assert await world.counts(job) == {"succeeded": 2, "skipped": 1, "retrying": 1, "dead": 1}
    skipped = await world.store.items.get(job_id=job, seq=3)
    assert skipped is not None
    assert (skipped["skip_reason"], skipped["last_error"]) == ("not applicable", None)


async def test_a_slice_without_a_plain_item_has_no_run(world: World) -> None:
    await world.job(2)
    worker = await world.worker()
    await world.settle(worker, await world.claim_one(worker), {1: SKIP, 2: FATAL})
    assert await world.fetch("SELECT first_seq FROM runs") == []


async def test_results_come_back_with_their_items(world: World) -> None:
    job = await world.job(3)
    worker = await world.worker()
    text = r'{"n":18446744073709551616,"x":1.10,"t":"é\"],"}'
    answers = {1: Answer("succeeded", result=text), 3: Answer("succeeded", result="17", own_row=True)}
    await world.settle(worker, await world.claim_one(worker), answers)
    items = await world.items(job)
    assert [row["result"] for row in items] == [text, None, "17"]
    run = await world.one("SELECT results FROM runs")
    assert json.loads(run["results"])[1:] == [None, None]


async def test_a_result_with_an_escaped_nul_is_readable_and_hides_nobody_elses(world: World) -> None:
    """It is JSON like any other, and what `encode_result` makes of a NUL in a text."""
    job = await world.job(3)
    worker = await world.worker()
    nul = encode_result({"text": "a\0b"})
    answers = {1: Answer("succeeded", result=nul), 2: Answer("succeeded", result="17"), 3: SKIP}
    await world.settle(worker, await world.claim_one(worker), answers)
    for seq, expected in ((3, None), (2, "17"), (1, nul)):
        item = await world.store.items.get(job_id=job, seq=seq)
        assert item is not None
        assert item["result"] == expected


async def test_a_result_too_large_for_the_run_is_named_in_a_row_of_its_own(world: World) -> None:
    job = await world.job(2)
    worker = await world.worker()
    answers = {2: Answer("succeeded", code="result_too_large", own_row=True)}
    await world.settle(worker, await world.claim_one(worker), answers)
    row = await world.outcome(job, 2)
    assert (row["status"], row["error_code"], row["result"]) == ("succeeded", "result_too_large", None)
    assert await world.counts(job) == {"succeeded": 2}


async def test_a_failed_attempt_waits_by_the_databases_clock_and_is_logged(world: World) -> None:
    job = await world.job(2)
    worker = await world.worker()
    claimed = await world.claim_one(worker)
    (settled,) = await world.settle(worker, claimed, {2: LATER})
    row = await world.outcome(job, 2)
    assert (row["status"], row["attempts"], row["max_attempts"]) == ("retrying", 1, 3)
    assert (row["error"], row["error_code"], row["fingerprint"]) == ("it broke", "Broken", "f00d")
    _, now = await world.store.slices.next_due()
    wait = row["next_attempt_at"] - now
    assert timedelta(minutes=59) < wait <= timedelta(hours=1)
    assert settled.due_at == row["next_attempt_at"]
    slice_ = await world.slice(job)
    assert (slice_["state"], slice_["open"], slice_["worker"]) == (WAITING, 1, None)
    assert (slice_["available_at"], slice_["settles"]) == (row["next_attempt_at"], 1)
    (attempt,) = await world.store.items.attempts(job_id=job, seq=2)
    assert (attempt["attempt"], attempt["worker"], attempt["fence"]) == (1, worker, claimed.fence)
    assert (attempt["code"], attempt["error"]) == ("Broken", "it broke")
    assert attempt["started_at"] < attempt["ended_at"]


async def test_items_that_failed_together_come_due_together(world: World) -> None:
    await world.job(40)
    worker = await world.worker()
    await world.settle(worker, await world.claim_one(worker), dict.fromkeys(range(1, 41), LATER))
    rows = await world.fetch("SELECT DISTINCT next_attempt_at FROM outcomes")
    assert len(rows) == 1


async def test_a_slice_is_armed_at_its_earliest_retry(world: World) -> None:
    job = await world.job(3)
    worker = await world.worker()
    soon = Answer("failed", wait=timedelta(minutes=5), error="x")
    await world.settle(worker, await world.claim_one(worker), {1: LATER, 2: soon, 3: LATER})
    assert (await world.slice(job))["available_at"] == (await world.outcome(job, 2))["next_attempt_at"]


async def test_an_item_is_dead_after_its_last_attempt_and_every_attempt_is_on_record(world: World) -> None:
    job = await world.job(2)
    await world.run_out({2: BAD})
    row = await world.outcome(job, 2)
    assert (row["status"], row["reason"], row["attempts"]) == ("dead", "exhausted", 3)
    attempts = await world.store.items.attempts(job_id=job, seq=2)
    assert [one["attempt"] for one in attempts] == [1, 2, 3]
    assert len({one["fence"] for one in attempts}) == 3
    assert await world.status(job) == "partially_completed"
    assert await world.counts(job) == {"succeeded": 1, "dead": 1}


async def test_a_retry_that_succeeds_has_a_row_and_keeps_the_run_of_its_neighbours(world: World) -> None:
    job = await world.job(3)
    await world.run({2: BAD})
    await world.duties.promote()
    await world.run()
    row = await world.outcome(job, 2)
    assert (row["status"], row["attempts"], row["next_attempt_at"]) == ("succeeded", 2, None)
    assert len(await world.fetch("SELECT first_seq FROM runs")) == 1
    assert await world.status(job) == "completed"
    assert await world.counts(job) == {"succeeded": 3}


# -- flush ---------------------------------------------------------------------------------------------------------


async def test_a_flush_writes_rows_lowers_open_and_leaves_the_claim(world: World) -> None:
    job = await world.job(4)
    worker = await world.worker()
    claimed = await world.claim_one(worker)
    before = await world.slice(job)
    assert len(await world.flush(worker, claimed, {1: GOOD, 2: SKIP, 3: BAD})) == 1
    row = await world.slice(job)
    assert row["open"] == 2
    unchanged = ("state", "worker", "fence", "settles", "claimed_at", "available_at")
    assert {name: row[name] for name in unchanged} == {name: before[name] for name in unchanged}
    assert await world.counts(job) == {"succeeded": 1, "skipped": 1, "retrying": 1, "processing": 1}
    assert (await world.outcome(job, 1))["fence"] == claimed.fence


async def test_a_closing_settle_after_a_flush_adds_only_the_rest(world: World) -> None:
    job = await world.job(5)
    worker = await world.worker()
    claimed = await world.claim_one(worker)
    await world.flush(worker, claimed, {1: GOOD, 2: SKIP})
    await world.flush(worker, claimed, {4: FATAL})
    await world.settle(worker, claimed, flushed=[1, 2, 4])
    assert await world.counts(job) == {"succeeded": 3, "skipped": 1, "dead": 1}
    assert await world.status(job) == "partially_completed"
    run = await world.one("SELECT first_seq, last_seq FROM runs")
    assert (run["first_seq"], run["last_seq"]) == (1, 5)


async def test_a_flush_of_everything_ends_the_slice(world: World) -> None:
    """A slice is deleted exactly when nothing of it is open, by a flush too."""
    job = await world.job(2)
    worker = await world.worker()
    claimed = await world.claim_one(worker)
    (settled,) = await world.flush(worker, claimed, {1: GOOD, 2: GOOD})
    assert settled.job_ended
    assert await world.slices(job) == []
    assert await world.status(job) == "completed"
    assert await world.settle(worker, claimed, flushed=[1, 2]) == []


async def test_a_flush_of_everything_but_a_retry_leaves_the_slice_to_its_holder(world: World) -> None:
    job = await world.job(2)
    worker = await world.worker()
    claimed = await world.claim_one(worker)
    await world.flush(worker, claimed, {1: GOOD, 2: LATER})
    row = await world.slice(job)
    assert (row["open"], row["worker"]) == (1, worker)
    await world.settle(worker, claimed, flushed=[1, 2])
    row = await world.slice(job)
    assert (row["state"], row["available_at"]) == (
        WAITING,
        (await world.outcome(job, 2))["next_attempt_at"],
    )
    assert await world.fetch("SELECT first_seq FROM runs") == []


async def test_a_flush_in_doubt_that_is_sent_again_counts_once(world: World) -> None:
    job = await world.job(4)
    worker = await world.worker()
    claimed = await world.claim_one(worker)
    for _ in range(2):
        assert len(await world.flush(worker, claimed, {1: GOOD, 2: LATER, 3: FATAL})) == 1
    assert await world.counts(job) == {"succeeded": 1, "retrying": 1, "dead": 1, "processing": 1}
    assert (await world.slice(job))["open"] == 2
    assert len(await world.store.items.attempts(job_id=job, seq=2)) == 1
    await world.settle(worker, claimed, flushed=[1, 2, 3])
    assert await world.counts(job) == {"succeeded": 2, "retrying": 1, "dead": 1}


async def test_what_was_flushed_stands_after_a_lapse(world: World) -> None:
    job = await world.job(3)
    dead = await world.worker()
    claimed = await world.claim_one(dead)
    await world.flush(dead, claimed, {1: GOOD, 2: SKIP})
    await world.die(dead)
    await world.duties.recover()
    await world.run()
    assert await world.counts(job) == {"succeeded": 2, "skipped": 1}
    assert (await world.outcome(job, 1))["fence"] == claimed.fence


# -- several slices, batches and jobs ------------------------------------------------------------------------------


async def test_one_settle_takes_slices_of_several_batches_and_jobs(world: World) -> None:
    one = await world.job(6, slice_size=2, chunk=4)
    other = await world.job(2)
    worker = await world.worker()
    taken = await world.claim(worker)
    settled = await world.settle(worker, taken, {6: FATAL})
    assert {(row.job_id, row.first_seq) for row in settled} == {(one, 1), (one, 3), (one, 5), (other, 1)}
    assert {row.job_id for row in settled if row.job_ended} == {one, other}
    assert await world.counts(one) == {"succeeded": 5, "dead": 1}
    assert await world.counts(other) == {"succeeded": 2}
    assert await world.events(one) == [(1, "partially_completed")]
    assert await world.events(other) == [(1, "completed")]


async def test_a_batch_closes_with_its_last_item_and_the_job_with_its_last_batch(world: World) -> None:
    job = await world.job(4, slice_size=1, chunk=2)
    worker = await world.worker()
    taken = await world.claim(worker)
    open_after = []
    for one in taken:
        (settled,) = await world.settle(worker, one)
        row = await world.one("SELECT batches_open FROM jobs")
        open_after.append((row["batches_open"], settled.job_ended))
    assert open_after == [(2, False), (1, False), (1, False), (0, True)]
    row = await world.get(job)
    assert row["ended_at"] is not None
    assert row["ended_at"] >= row["created_at"]
    assert await world.events(job) == [(1, "completed")]


async def test_a_batch_with_a_retry_stays_open(world: World) -> None:
    job = await world.job(2, slice_size=1)
    await world.run({2: LATER})
    row = await world.one("SELECT succeeded, completed_at FROM batches")
    assert (row["succeeded"], row["completed_at"]) == (1, None)
    assert await world.status(job) == "processing"


async def test_a_job_of_which_nothing_succeeded_is_failed(world: World) -> None:
    job = await world.job(2)
    await world.run({1: FATAL, 2: FATAL})
    assert await world.status(job) == "failed"


async def test_a_settle_of_nothing_changes_nothing(world: World) -> None:
    await world.job(2)
    assert await world.store.slices.settle(worker=await world.worker(), slices=[], items=[]) == []


async def test_a_job_with_a_thousand_exceptions_in_one_settle_counts_each(world: World) -> None:
    job = await world.job(1000, slice_size=100)
    worker = await world.worker()
    taken = await world.claim(worker)
    await world.settle(worker, taken, {seq: (SKIP, FATAL, GOOD, LATER)[seq % 4] for seq in range(1, 1001)})
    assert await world.counts(job) == {"succeeded": 250, "skipped": 250, "dead": 250, "retrying": 250}


# -- a retry that nobody sees --------------------------------------------------------------------------------------


async def test_what_is_open_without_a_due_time_is_ready_at_once(world: World) -> None:
    """An item that a claim did not bring is still open when it settles: the slice must not wait for a time."""
    job = await world.job(3)
    worker = await world.worker()
    claimed = await world.claim_one(worker)
    seen = claimed._replace(seqs=[1, 3], keys=[claimed.keys[0], claimed.keys[2]])
    await world.settle(worker, seen, {1: SKIP, 3: LATER}, closing=True)
    row = await world.slice(job)
    assert (row["state"], row["open"], row["available_at"]) == (READY, 2, None)
    await world.fetch("UPDATE slices SET settles = 0 WHERE job_id = :job_id RETURNING first_seq", job_id=job)
    await world.run()
