"""A request key makes one job of a request, however often and at how many places it is sent."""

import asyncio

import pytest

from batchanator.domain.errors import ConflictError, UnknownJobTypeError
from batchanator.domain.submission import JobOptions, Request, Submitted
from tests.contract.world import FATAL, World, entries

NONE = JobOptions()
REQUEST = Request("r-1", "the same")


async def send(world: World, keys: list[str], request: Request | None = REQUEST) -> Submitted:
    if not world.types:
        await world.job_type()
    return await world.submitter().items("mail", entries(keys), name=None, options=NONE, request=request)


async def jobs(world: World) -> int:
    return len(await world.fetch("SELECT id FROM jobs"))


async def test_the_same_request_again_is_answered_with_the_same_job(world: World) -> None:
    first = await send(world, ["a", "b"])
    again = await send(world, ["a", "b"])
    assert (first.replayed, again.replayed, again.job_id) == (False, True, first.job_id)
    assert await jobs(world) == 1
    assert (await world.get(first.job_id))["duplicates"] == 0


async def test_the_same_key_with_another_request_is_a_conflict(world: World) -> None:
    await send(world, ["a"])
    with pytest.raises(ConflictError):
        await send(world, ["b"], Request("r-1", "another"))
    assert await jobs(world) == 1


async def test_request_keys_are_compared_as_bytes(world: World) -> None:
    keys = ["k", "K", "k ", "é", "e\u0301"]
    for key in keys:
        assert not (await send(world, [key], Request(key, key))).replayed
    assert await jobs(world) == len(keys)


async def test_a_request_key_still_stands_after_its_job_has_ended(world: World) -> None:
    first = await send(world, ["a"])
    await world.run({1: FATAL})
    assert (await send(world, ["a"])).job_id == first.job_id


async def test_direct_items_and_their_job_are_there_together_and_sealed(world: World) -> None:
    submitted = await send(world, ["a", "b"], None)
    row = await world.get(submitted.job_id)
    assert (row["accepted"], row["sealed_at"] is not None) == (2, True)
    assert await world.store.jobs.to_ingest(worker=await world.worker()) == []
    await world.run()
    assert await world.status(submitted.job_id) == "completed"


async def test_an_unknown_job_type_is_refused_by_name_and_leaves_nothing(world: World) -> None:
    await world.job_type("mail")
    with pytest.raises(UnknownJobTypeError, match="mail"):
        await world.submitter().items("nail", entries(["a"]), name=None, options=NONE, request=None)
    assert await jobs(world) == 0


async def test_a_request_for_the_staging_table_is_answered_with_its_job_again(world: World) -> None:
    await world.job_type()
    await world.fetch(
        "INSERT INTO pending_work (job_type, idempotency_key, payload) VALUES ('mail', 'a', '{}') RETURNING id"
    )
    submitter = world.submitter()
    first = await submitter.database("mail", options=NONE, request=REQUEST)
    again = await submitter.database("mail", options=NONE, request=REQUEST)
    assert first is not None
    assert again is not None
    assert (again.job_id, again.replayed) == (first.job_id, True)


@pytest.mark.parametrize("known", [False, True], ids=["fresh keys", "a key that is taken"])
async def test_identical_requests_at_once_make_one_job_and_all_are_answered(
    world: World, known: bool
) -> None:
    if known:
        await world.job(entries(["b"]))
    else:
        await world.job_type()
    before = await jobs(world)
    stores = [await world.another() for _ in range(3)]
    submitters = [world.submitter(store=store) for store in (world.store, *stores)]
    answers = await asyncio.gather(
        *(
            one.items("mail", entries(["a", "b", "c"]), name=None, options=NONE, request=REQUEST)
            for one in submitters
        )
    )
    assert len({answer.job_id for answer in answers}) == 1
    assert [answer.replayed for answer in answers].count(False) == 1
    assert await jobs(world) == before + 1


async def test_a_conflicting_request_at_the_same_moment_gets_a_conflict(world: World) -> None:
    await world.job_type()
    other = world.submitter(store=await world.another())
    answers = await asyncio.gather(
        send(world, ["a"]),
        other.items("mail", entries(["b"]), name=None, options=NONE, request=Request("r-1", "another")),
        return_exceptions=True,
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["ConflictError", "Submitted"]
    assert await jobs(world) == 1
