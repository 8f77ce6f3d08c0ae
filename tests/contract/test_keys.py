"""A key is held by one item: a duplicate costs only itself, a mended line takes over what is dead or cancelled."""

import pytest

from batchanator.domain.submission import Entry, JobOptions, OnDuplicate
from batchanator.store.records import Take
from tests.contract.world import FATAL, LATER, SKIP, TEXT, World, entries, portions

OTHER = '{"mended": true}'


async def accepted(world: World, job: int) -> list[int]:
    rows = await world.fetch("SELECT seq FROM items WHERE job_id = :job_id ORDER BY seq", job_id=job)
    return [row["seq"] for row in rows]


async def holder(world: World, key: str) -> tuple[int, int]:
    row = await world.one("SELECT job_id, seq FROM idempotency_keys WHERE key = :key", key=key)
    return row["job_id"], row["seq"]


# -- duplicates ----------------------------------------------------------------------------------------------------


async def test_a_duplicate_in_a_chunk_costs_only_itself(world: World) -> None:
    job = await world.job([*entries(["a", "b", "a"]), Entry("b", OTHER.encode()), *entries(["c"])])
    assert await accepted(world, job) == [1, 2, 5]
    assert await world.duplicates(job) == [(3, 3, job, 1, "duplicate"), (4, 4, job, 2, "conflict")]
    row = await world.get(job)
    assert (row["lines"], row["accepted"], row["duplicates"], row["rejected"]) == (5, 3, 2, 0)


async def test_duplicates_across_the_chunks_of_one_portion_cost_only_themselves(world: World) -> None:
    job = await world.empty_job()
    writer = await world.ingester(job)
    lines = [*entries(["a", "b", "c", "b", "d", "a", "a"]), Entry("c", OTHER.encode()), *entries(["e"])]
    await writer.write(writer.prepare(portions(lines, writer, 3)), position=0)
    await world.seal(job, writer)
    assert await accepted(world, job) == [1, 2, 3, 5, 9]
    assert await world.duplicates(job) == [
        (4, 4, job, 2, "duplicate"),
        (6, 6, job, 1, "duplicate"),
        (7, 7, job, 1, "duplicate"),
        (8, 8, job, 3, "conflict"),
    ]
    rows = await world.fetch("SELECT number, first_seq, last_seq, total FROM batches ORDER BY number")
    assert [tuple(row.values()) for row in rows] == [(1, 1, 3, 3), (2, 5, 5, 1), (3, 9, 9, 1)]


async def test_a_duplicate_of_an_earlier_chunk_names_its_line(world: World) -> None:
    job = await world.job(entries(["a", "b", "c", "b"]), chunk=2)
    assert await world.duplicates(job) == [(4, 4, job, 2, "duplicate")]


async def test_a_file_sent_twice_is_all_duplicates_and_a_row_a_chunk(world: World) -> None:
    keys = [f"k{number:03}" for number in range(100)]
    first = await world.job(entries(keys))
    again = await world.job(entries(keys), chunk=40)
    assert await world.duplicates(again) == [
        (1, 40, first, 1, "duplicate"),
        (41, 80, first, 41, "duplicate"),
        (81, 100, first, 81, "duplicate"),
    ]
    row = await world.get(again)
    assert (row["status"], row["duplicates"], row["batches"]) == ("completed", 100, 0)


async def test_overlapping_files_lose_no_neighbour_of_a_duplicate(world: World) -> None:
    first = await world.job(entries(["a", "b", "c"]))
    second = await world.job(entries(["z", "b", "y", "c", "x"]), chunk=2)
    assert await accepted(world, second) == [1, 3, 5]
    assert await world.duplicates(second) == [(2, 2, first, 2, "duplicate"), (4, 4, first, 3, "duplicate")]


@pytest.mark.parametrize("fate", ["pending", "leased", "retrying", "succeeded", "skipped", "flushed"])
async def test_what_ran_or_may_run_keeps_its_key_whatever_the_payload(world: World, fate: str) -> None:
    first = await world.job(entries(["a", "x"]))
    worker = await world.worker()
    if fate != "pending":
        claimed = await world.claim_one(worker)
        if fate == "flushed":
            await world.flush(worker, claimed, {1: SKIP})
        elif fate != "leased":
            answers = {"retrying": {1: LATER}, "succeeded": {}, "skipped": {1: SKIP}}[fate]
            await world.settle(worker, claimed, answers)
    same, other = await world.job(entries(["a"])), await world.job(entries(["a"], OTHER))
    assert await world.duplicates(same) == [(1, 1, first, 1, "duplicate")]
    assert await world.duplicates(other) == [(1, 1, first, 1, "conflict")]


# -- takeover ------------------------------------------------------------------------------------------------------


async def dead_holder(world: World, keys: list[str], payload: str = TEXT) -> int:
    job = await world.job(entries(keys, payload))
    await world.run(dict.fromkeys(range(1, len(keys) + 1), FATAL))
    return job


async def cancelled_holder(world: World, keys: list[str]) -> int:
    job = await world.job(entries(keys))
    await world.operations.cancel(job, actor="me")
    await world.duties.sweep()
    return job


async def test_a_mended_line_takes_over_a_dead_items_key_and_runs_alone(world: World) -> None:
    old = await world.job(entries(["a", "b", "c"]))
    await world.run({2: FATAL})
    lines = [*entries(["a"]), Entry("b", OTHER.encode()), *entries(["c"])]
    job = await world.job(lines)
    assert await accepted(world, job) == [2]
    assert await holder(world, "b") == (job, 2)
    assert await world.duplicates(job) == [(1, 1, old, 1, "duplicate"), (3, 3, old, 3, "duplicate")]
    (claimed,) = await world.claim(worker := await world.worker())
    assert (claimed.seqs, claimed.body) == ([2], f"[{OTHER}]")
    await world.settle(worker, claimed)
    assert await world.status(job) == "completed"
    assert await world.counts(old) == {"succeeded": 2, "dead": 1}


async def test_the_same_payload_does_not_revive_a_dead_item(world: World) -> None:
    old = await dead_holder(world, ["a"])
    job = await world.job(entries(["a"]))
    assert await world.duplicates(job) == [(1, 1, old, 1, "dead_holder")]
    assert await holder(world, "a") == (old, 1)


async def test_a_cancelled_items_key_is_taken_over_by_any_payload(world: World) -> None:
    old = await cancelled_holder(world, ["a", "b"])
    job = await world.job([*entries(["a"]), Entry("b", OTHER.encode())])
    assert await accepted(world, job) == [1, 2]
    assert await world.duplicates(job) == []
    item = await world.store.items.get(job_id=old, seq=1)
    assert item is not None
    assert (item["replaced_by_job_id"], item["replaced_by_seq"]) == (job, 1)
    await world.run()
    assert await world.status(job) == "completed"


async def test_an_item_of_a_stopping_job_counts_as_cancelled_unless_a_worker_holds_it(world: World) -> None:
    old = await world.job(entries(["a", "b", "c"]), slice_size=1)
    worker = await world.worker()
    held, waiting = await world.claim(worker, 2)
    await world.settle(worker, waiting, {2: LATER})
    await world.operations.cancel(old, actor="me")
    job = await world.job(entries(["a", "b", "c"]))
    assert await world.duplicates(job) == [(1, 1, old, 1, "duplicate")]
    assert await accepted(world, job) == [2, 3]
    await world.settle(worker, held)
    await world.duties.sweep()
    assert await world.counts(old) == {"succeeded": 1, "cancelled": 2}
    await world.run()


async def test_a_failed_sources_items_can_be_sent_again(world: World) -> None:
    strict = JobOptions(strict=True)
    old = await world.job([*entries(["a", "b"]), Entry("c", b"{")], options=strict)
    await world.duties.sweep()
    assert await world.status(old) == "failed"
    job = await world.job(entries(["a", "b", "c"]))
    assert await accepted(world, job) == [1, 2, 3]


@pytest.mark.parametrize("size", [1, 2, 3, 9])
async def test_of_several_lines_for_a_dead_items_key_the_first_mended_one_takes_it(
    world: World, size: int
) -> None:
    """Also where both stand in one chunk, or in several chunks of one portion."""
    old = await dead_holder(world, ["a"])
    lines = [*entries(["a"]), Entry("a", OTHER.encode()), *entries(["a"]), Entry("a", b"[3]")]
    job = await world.empty_job()
    writer = await world.ingester(job)
    await writer.write(writer.prepare(portions(lines, writer, size)), position=0)
    await world.seal(job, writer)
    assert await accepted(world, job) == [2]
    assert await holder(world, "a") == (job, 2)
    kinds = {line: (kind, by) for line, _, by, _, kind in await world.duplicates(job)}
    assert sorted(kinds) == [1, 3, 4]
    assert kinds[3] == kinds[4] == ("conflict", job)
    assert kinds[1][1] in {old, job}
    await world.run()


async def test_a_line_may_take_over_a_dead_item_of_its_own_job(world: World) -> None:
    job = await world.empty_job()
    writer = await world.ingester(job)
    await world.writes(writer, entries(["a", "b"]))
    await world.run({1: FATAL})
    await world.writes(writer, [Entry("a", OTHER.encode())])
    await world.seal(job, writer)
    assert await holder(world, "a") == (job, 3)
    await world.run()
    assert await world.counts(job) == {"succeeded": 2, "dead": 1}


@pytest.mark.parametrize(
    ("option", "same", "other", "cancelled"),
    [("skip", False, True, True), ("redrive", True, True, True), ("never", False, False, False)],
)
async def test_on_duplicate_says_which_lines_take_over(
    world: World, option: OnDuplicate, same: bool, other: bool, cancelled: bool
) -> None:
    old = await dead_holder(world, ["same", "other"])
    gone = await cancelled_holder(world, ["cancelled"])
    options = JobOptions(on_duplicate=option)
    lines = [*entries(["same"]), Entry("other", OTHER.encode()), *entries(["cancelled"])]
    job = await world.job(lines, options=options)
    expected = [line for line, takes in ((1, same), (2, other), (3, cancelled)) if takes]
    assert await accepted(world, job) == expected
    names = {line: (by, kind) for line, _, by, _, kind in await world.duplicates(job)}
    assert all(names[line][0] == by for line, by in ((1, old), (2, old), (3, gone)) if line in names)
    if not same:
        assert names[1][1] == "dead_holder"
    if not other:
        assert names[2][1] == "conflict"
    await world.run()


async def test_a_redriven_item_is_no_dead_holder(world: World) -> None:
    old = await dead_holder(world, ["a"])
    await world.operations.replay(old, actor="me")
    job = await world.job(entries(["a"], OTHER))
    assert await world.duplicates(job) == [(1, 1, old, 1, "conflict")]


async def test_a_key_moves_only_from_the_holder_that_was_seen(world: World) -> None:
    old = await dead_holder(world, ["a"])
    job = await world.job(1)
    types = world.types["mail"]
    wrong = Take("a", 1, 7, old, 2)
    assert await world.store.keys.take_over(types, job, [wrong]) == set()
    assert await holder(world, "a") == (old, 1)


async def test_a_second_mended_line_meets_the_first(world: World) -> None:
    await dead_holder(world, ["a"])
    first = await world.job(entries(["a"], OTHER))
    second = await world.job(entries(["a"], "[2]"))
    assert await world.duplicates(second) == [(1, 1, first, 1, "conflict")]


async def test_a_rejected_line_takes_no_key(world: World) -> None:
    job = await world.job([Entry("a", b"{"), *entries(["a"])])
    assert await accepted(world, job) == [2]
    assert await holder(world, "a") == (job, 2)


# -- what makes two keys one ---------------------------------------------------------------------------------------


async def test_keys_are_compared_as_bytes(world: World) -> None:
    keys = ["a", "A", "a ", " a", "a\t", "\u00e9", "e\u0301", "E\u0301", "ß", "ss", "ﬁ", "fi", "İ", "i"]
    keys += ["k" * 512, "k" * 511, "%", "_", "a%", "\\", "'", '"', "a\n", "a\r\n", "\U0001f602", "0", "00"]
    job = await world.job(entries(keys))
    assert (await world.get(job))["accepted"] == len(keys)
    again = await world.job(entries(keys))
    assert (await world.get(again))["duplicates"] == len(keys)
    rows = await world.fetch("SELECT idempotency_key FROM items ORDER BY seq")
    assert [row["idempotency_key"] for row in rows] == keys
    (claimed,) = await world.claim(await world.worker())
    assert claimed.keys == keys


async def test_keys_of_two_job_types_never_meet(world: World) -> None:
    """("a:b", "c") and ("a", "b:c") are two keys."""
    one = await world.job(entries(["c", "b:c"]), job_type="a:b")
    other = await world.job(entries(["b:c", "c"]), job_type="a")
    assert [(await world.get(job))["accepted"] for job in (one, other)] == [2, 2]
    assert len(await world.fetch("SELECT key FROM idempotency_keys")) == 4
